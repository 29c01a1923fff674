"""Which of several devices computes."""
