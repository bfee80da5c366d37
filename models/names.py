"""A data set for transformer.onnx: which is a name, and which only its letters in another order?

    python names.py names.txt FOLDER

Reads a name a line, a to z; writes train-x.npy, train-y.npy, valid-x.npy and valid-y.npy with equal parts of names (class
1) and of names whose letters are shuffled (class 0): 16 letters as numbers 1 to 26, then zeros. A tenth of the names is
for validation. A name is left out when ten orders of its letters gave only names. The same list gives the same bytes.
"""
import pathlib
import random
import sys

import numpy as np

LENGTH = 16


def shuffled(name, known, chance):
    """The letters in an order that is no name; None when a few tries find none."""
    for _ in range(10):
        word = "".join(chance.sample(name, len(name)))
        if word not in known:
            return word
    return None


def write(folder, part, names, known, chance):
    rows = []
    for name in names:
        word = shuffled(name, known, chance)
        if word is not None:
            rows += [(name, 1), (word, 0)]
    chance.shuffle(rows)
    x = np.zeros((len(rows), LENGTH), np.int64)
    for row, (word, _) in zip(x, rows):
        row[:len(word)] = [ord(letter) - ord("a") + 1 for letter in word]
    np.save(folder / f"{part}-x.npy", x)
    np.save(folder / f"{part}-y.npy", np.array([label for _, label in rows], np.int64))
    print(f"{part}: {len(rows)} examples")


def main():
    source, folder = map(pathlib.Path, sys.argv[1:])
    names = [name for name in source.read_text().split() if 2 <= len(name) <= LENGTH]
    known, chance = set(names), random.Random(0)
    chance.shuffle(names)
    folder.mkdir(parents=True, exist_ok=True)
    cut = len(names) // 10
    write(folder, "valid", names[:cut], known, chance)
    write(folder, "train", names[cut:], known, chance)


main()
