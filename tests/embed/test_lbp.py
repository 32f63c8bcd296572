from __future__ import annotations

import numpy as np
import torch

from recog_restore.embed.lbp import LocalBinaryPatterns


def slow(grey: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel, for one whole-numbered (112, 112) image."""
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]

    def changes(bits: list[int]) -> int:
        return sum(bits[i] != bits[i - 1] for i in range(8))

    uniform = [p for p in range(256) if changes([p >> i & 1 for i in range(8)]) <= 2]
    counts = np.zeros((7, 7, 59))
    for y in range(112):
        for x in range(112):
            bits = [int(grey[min(max(y + dy, 0), 111), min(max(x + dx, 0), 111)] >= grey[y, x]) for dy, dx in around]
            pattern = sum(bit << i for i, bit in enumerate(bits))
            counts[y // 16, x // 16, uniform.index(pattern) if pattern in uniform else 58] += 1
    return np.sqrt(counts / 256).ravel()


def test_histograms_are_those_of_the_definition() -> None:
    grey = np.random.default_rng(0).integers(0, 9, (112, 112)) * 20
    embedder = LocalBinaryPatterns()
    fast = embedder.forward(torch.from_numpy(grey).float()[None, None])
    np.testing.assert_allclose(fast[0].numpy(), slow(grey), atol=1e-6)


def test_each_cell_has_norm_one() -> None:
    faces = torch.rand(3, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    cells = LocalBinaryPatterns()(faces).reshape(3, 49, 59)
    torch.testing.assert_close(cells.norm(dim=2), torch.ones(3, 49))


def test_embedding_depends_on_the_order_of_brightness_only() -> None:
    faces = torch.randint(0, 100, (2, 1, 128, 128), generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)
    embedder = LocalBinaryPatterns()
    assert torch.equal(embedder(faces / 255), embedder((2 * faces + 20) / 255))


def test_batch_may_be_split() -> None:
    faces = torch.rand(5, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    embedder = LocalBinaryPatterns()
    assert torch.equal(embedder(faces), torch.cat([embedder(faces[:2]), embedder(faces[2:])]))
    assert embedder(faces[:0]).shape == (0, 2891)


def test_identity_is_a_sha256_of_the_version() -> None:
    assert len(LocalBinaryPatterns().identity()) == 64
    assert LocalBinaryPatterns().identity() == LocalBinaryPatterns().identity()
