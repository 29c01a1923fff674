"""The filter on real V4L2 devices: `make test-camera` runs these tests in a virtual machine.

v4l2loopback devices are real cameras to every program, so one is fed with a face and filmed, and
another one takes the toons and is read back as a video call would.
"""
