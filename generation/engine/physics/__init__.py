"""What a motion does to a body, in torch: batched over motions and time, differentiable, on CPU and CUDA."""

from generation.engine.physics.derivatives import differentiate

__all__ = ["differentiate"]
