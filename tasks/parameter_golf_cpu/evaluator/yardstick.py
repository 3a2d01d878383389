"""How hard a text is: bits per byte of a model that counts two bytes of context in the training text."""

import numpy as np

ALPHABET = 128


def measure_bits_per_byte(train: bytes, text: np.ndarray) -> float:
    """Return the mean over each row of `text` without its first byte; Witten-Bell smoothing down to the uniform."""
    known = np.frombuffer(train, np.uint8).astype(np.int64)
    symbols = text.astype(np.int64)
    p = np.full((len(symbols), symbols.shape[1] - 1), 1 / ALPHABET)
    for order in range(3):
        counts = np.bincount(_codes(known, order), minlength=ALPHABET ** (order + 1)).reshape(-1, ALPHABET)
        total, kinds = counts.sum(1), (counts > 0).sum(1)
        code = _codes(symbols, order)[:, 1 if order == 0 else 0 :]
        context, late = code // ALPHABET, p[:, max(order - 1, 0) :]
        weight = np.maximum(total + kinds, 1)[context]
        late[:] = np.where(total[context] > 0, (counts.reshape(-1)[code] + kinds[context] * late) / weight, late)
    return float(-np.log2(p).mean())


def _codes(symbols: np.ndarray, order: int) -> np.ndarray:
    """Encode each symbol with the `order` symbols before it as one number."""
    n = symbols.shape[-1] - order
    code = np.zeros((*symbols.shape[:-1], n), np.int64)
    for back in range(order + 1):
        code = code * ALPHABET + symbols[..., back : back + n]
    return code
