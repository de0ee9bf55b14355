// A training session as a Python script: PyTorch, with the page's own random numbers, so that it comes
// to the same weights. tests/foundations/test_scripts.py runs it.

const ACTIVATIONS = { "leaky relu": "nn.LeakyReLU(0.2)", relu: "nn.ReLU()", tanh: "nn.Tanh()" }
const LOSSES = `{
    # name: (D's loss on real points, D's on generated ones, G's), of scores D(x)
    "non-saturating": (lambda s: softplus(-s), softplus, lambda s: softplus(-s)),
    "minimax": (lambda s: softplus(-s), softplus, lambda s: -softplus(s)),
    "least squares": (lambda s: (s - 1) ** 2 / 2, lambda s: s**2 / 2, lambda s: (s - 1) ** 2 / 2),
}`
const NOISES = { normal: "random.normals(BATCH, LATENT)", uniform: "2 * random.uniforms(BATCH, LATENT) - 1" }
const OPTIMIZERS = {
  adam: (net, lr, beta1) => `torch.optim.Adam(${net}.parameters(), ${lr}, betas=(${beta1}, 0.999))`,
  sgd: (net, lr) => `torch.optim.SGD(${net}.parameters(), ${lr})`,
}
const STEPS = { b: "train", d: "train_d", g: "train_g" }
const CHANGES = {
  lrG: (value) => `g_optimizer.param_groups[0]["lr"] = ${value}`,
  lrD: (value) => `d_optimizer.param_groups[0]["lr"] = ${value}`,
  dSteps: (value) => `D_STEPS = ${value}`,
  loss: (value) => `LOSS = ${JSON.stringify(value)}`,
}
const DEFAULT_STEPS = 2000

/** @param {object} settings of a Gan @param {import("./settings.js").Deed[]} log
 * @param {{title: string, draw: string}} page draw: Python that defines real(random), a batch
 *   (BATCH, DIM) of float64
 * @returns {string} */
export const pytorchScript = (settings, log, { title, draw }) => {
  const { seed, dim, latent, gWidths, dWidths, activation, noise, loss, optimizer, beta1, lrG, lrD, dSteps, batch } = settings
  const deeds = (log.length ? log : [{ op: "b", count: DEFAULT_STEPS }]).map((deed) =>
    (deed.op ? `${STEPS[deed.op]}(${deed.count})` : CHANGES[deed.name](deed.value)))
  return `"""${title}

The same first weights, batches and noise as on the page, so it comes to the same GAN. Needs numpy and torch.
"""

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

SEED, BATCH, DIM, LATENT = ${seed}, ${batch}, ${dim}, ${latent}
D_STEPS = ${dSteps}  # before each step of G
LOSS = ${JSON.stringify(loss)}
LOSSES = ${LOSSES}


def mix(state):
    """A hash of 32 bits, mulberry32's."""
    t = (state ^ (state >> 15)) * (state | 1)
    t ^= t + (t ^ (t >> 7)) * (t | 61)
    return t ^ (t >> 14)


class Random:
    """Numbers that the page draws too: the n-th is a hash of seed, stream and n."""

    def __init__(self, seed, stream):
        start = (seed * 2654435761 + stream) % 2**32
        self.state = int(mix(np.array([start], np.uint32))[0])

    def uniforms(self, *shape):
        count = math.prod(shape)
        states = (self.state + 0x6D2B79F5 * np.arange(1, count + 1, dtype=np.uint64)) % 2**32
        self.state = int(states[-1])
        return ((mix(states.astype(np.uint32)) + 0.5) / 2**32).reshape(shape)

    def normals(self, *shape):
        u = self.uniforms((math.prod(shape) + 1) // 2, 2)
        radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        return pairs.ravel()[: math.prod(shape)].reshape(shape)


def mlp(sizes, random):
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layer = nn.Linear(inputs, outputs)
        bound = 1 / math.sqrt(inputs)
        for values in (layer.weight, layer.bias):
            values.data = torch.from_numpy(2 * bound * random.uniforms(*values.shape) - bound).float()
        layers += [layer, ${ACTIVATIONS[activation]}]
    return nn.Sequential(*layers[:-1])


${draw}

def noise(random):
    return torch.from_numpy(${NOISES[noise]}).float()


G = mlp([LATENT, ${[...gWidths, "DIM"].join(", ")}], Random(SEED, 1))
D = mlp([DIM, ${[...dWidths, "1"].join(", ")}], Random(SEED, 2))
g_optimizer = ${OPTIMIZERS[optimizer]("G", lrG, beta1)}
d_optimizer = ${OPTIMIZERS[optimizer]("D", lrD, beta1)}
data_random, noise_random = Random(SEED, 3), Random(SEED, 4)


def train_d(steps):
    for _ in range(steps):
        on_real, on_forged, _ = LOSSES[LOSS]
        x = torch.from_numpy(real(data_random)).float()
        x_forged = G(noise(noise_random)).detach()
        loss = on_real(D(x)).mean() + on_forged(D(x_forged)).mean()
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()


def train_g(steps):
    for _ in range(steps):
        loss = LOSSES[LOSS][2](D(G(noise(noise_random)))).mean()
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()


def train(steps):
    for _ in range(steps):
        train_d(D_STEPS)
        train_g(1)


${deeds.join("\n")}

with torch.no_grad():
    samples = G(noise(Random(SEED, 5)))
print("mean", samples.mean(0).tolist(), "std", samples.std(0).tolist())
`
}
