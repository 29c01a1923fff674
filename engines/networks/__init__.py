"""StyleGAN2 generator, feed-forward encoder and discriminator as plain torch modules."""

from __future__ import annotations
