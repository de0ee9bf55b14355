"""torch's optimizers without what torch.compile needs of them.

``torch.optim`` wraps an optimizer's methods so that compiled code stops in front of them, and the
wrappers import the compiler when the first optimizer is made: torch._dynamo, sympy and triton, some
150 MB and seconds of every process that trains or lets a page train. Nothing here is compiled.
These are the same methods and the same numbers, taken from inside their wrappers.
"""

from __future__ import annotations

from inspect import unwrap

import torch


class _Unwrapped:
    """For both: what they have from ``torch.optim.Optimizer``."""

    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)


class Adam(_Unwrapped, torch.optim.Adam):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), as ``torch.optim.Adam``."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(_Unwrapped, torch.optim.SGD):
    """Gradient descent, with momentum if wanted, as ``torch.optim.SGD``."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))
