"""Makes metrics/metrics.json: metrics of small predictions by scikit-learn and SciPy.

    python3 make_metrics.py        (needs numpy, scikit-learn and scipy; see README.md)

Each case has predictions, targets, and values by the names of Crest's metrics:

    classes      logits [N, K] with ties, labels; one class never comes up, one is never predicted
    binary       logits [N, 1] with ties, labels of 0 and 1
    labels       logits [N, L] of independent labels
    values       predictions and targets [N, M], with a large mean

Predictions are float32 numbers; peers compute in float64. Where they have nothing of the name, the formula is theirs:
Brier's score of classes isn't halved, and the calibration error is Guo et al.'s with 15 bins that are open below.
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn import metrics as sk

rng = np.random.default_rng(20261130)
f32 = lambda a: np.asarray(a, np.float32).astype(np.float64)


def calibration(confidence, right, bins=15):
    place = np.clip(np.ceil(np.clip(confidence, 0, 1) * bins).astype(int) - 1, 0, None)
    total = 0.0
    for b in range(bins):
        inside = place == b
        if inside.any():
            total += abs(right[inside].sum() - confidence[inside].sum())
    return total / len(confidence)


def classes():
    n, k = 60, 5
    logits = f32(np.round(rng.normal(size=(n, k)) * 4) / 2)
    logits[:, 3] -= 50  # never predicted
    logits[:, 4] -= 50
    labels = rng.integers(0, 4, n)  # class 4 never comes up
    logits[np.arange(n), labels] += 1
    p = scipy.special.softmax(logits, axis=1)
    guess = logits.argmax(1)
    average = lambda f, **o: {a: float(f(labels, guess, average=a, zero_division=0, **o)) for a in ("macro", "weighted", "micro")}
    onehot = np.eye(k)[labels]
    present = [c for c in range(k) if 0 < onehot[:, c].sum() < n]
    values = {
        "precision": average(sk.precision_score), "recall": average(sk.recall_score),
        "f2": average(sk.fbeta_score, beta=2), "f1": average(sk.f1_score), "iou": average(sk.jaccard_score),
        "balanced-accuracy": float(sk.balanced_accuracy_score(labels, guess)),
        "kappa": float(sk.cohen_kappa_score(labels, guess)),
        "kappa-linear": float(sk.cohen_kappa_score(labels, guess, weights="linear")),
        "kappa-quadratic": float(sk.cohen_kappa_score(labels, guess, weights="quadratic")),
        "mcc": float(sk.matthews_corrcoef(labels, guess)),
        # Crest's scores are float32.
        "auroc": float(np.mean([sk.roc_auc_score(onehot[:, c], p[:, c].astype(np.float32)) for c in present])),
        "average-precision": float(np.mean([sk.average_precision_score(onehot[:, c], p[:, c].astype(np.float32)) for c in present])),
        "log-loss": float(-np.log(np.maximum(p[np.arange(n), labels], 2.0 ** -52)).mean()),
        "brier": float(((p - onehot) ** 2).sum(1).mean()),
        "ece": float(calibration(p.max(1), (p.argmax(1) == labels).astype(float))),
    }
    values["perplexity"] = float(np.exp(values["log-loss"]))
    return dict(kind="classes", shape=[n, k], predictions=logits, targets=labels, values=values)


def binary():
    n = 50
    logits = f32(np.round(rng.normal(size=(n, 1)) * 4) / 2)
    labels = (logits[:, 0] + rng.normal(size=n) * 3 > 0).astype(int)
    p = scipy.special.expit(logits[:, 0])
    guess = (logits[:, 0] > 0).astype(int)
    values = {
        "precision": float(sk.precision_score(labels, guess)), "recall": float(sk.recall_score(labels, guess)),
        "f2": float(sk.fbeta_score(labels, guess, beta=2)), "iou": float(sk.jaccard_score(labels, guess)),
        "balanced-accuracy": float(sk.balanced_accuracy_score(labels, guess)),
        "kappa": float(sk.cohen_kappa_score(labels, guess)), "mcc": float(sk.matthews_corrcoef(labels, guess)),
        "auroc": float(sk.roc_auc_score(labels, logits[:, 0])),
        "average-precision": float(sk.average_precision_score(labels, logits[:, 0])),
        "log-loss": float(sk.log_loss(labels, p)), "brier": float(sk.brier_score_loss(labels, p)),
        "ece": float(calibration(p, labels.astype(float))),
    }
    return dict(kind="logits", shape=[n, 1], predictions=logits, targets=labels, values=values)


def independent():
    n, k = 40, 3
    logits = f32(np.round(rng.normal(size=(n, k)) * 4) / 2)
    labels = (logits + rng.normal(size=(n, k)) * 3 > 0).astype(int)
    values = {
        "auroc": float(sk.roc_auc_score(labels, logits, average="macro")),
        "average-precision": float(sk.average_precision_score(labels, logits, average="macro")),
    }
    return dict(kind="logits", shape=[n, k], predictions=logits, targets=labels, values=values)


def numbers():
    n, m = 30, 2
    target = f32(np.round(rng.normal(size=(n, m)) * 8) / 4 + 10_000)
    guess = f32(target + np.round(rng.normal(size=(n, m)) * 8) / 4)
    flat = (target.ravel(), guess.ravel())
    values = {
        "mae": float(sk.mean_absolute_error(target, guess)), "mse": float(sk.mean_squared_error(target, guess)),
        "rmse": float(np.sqrt(((target - guess) ** 2).mean())), "r2": float(sk.r2_score(target, guess)),
        "explained-variance": float(sk.explained_variance_score(target, guess)),
        "mape": float(sk.mean_absolute_percentage_error(target, guess)),
        "smape": float(np.mean(2 * np.abs(flat[0] - flat[1]) / (np.abs(flat[0]) + np.abs(flat[1])))),
        "pearson": float(np.mean([scipy.stats.pearsonr(target[:, c], guess[:, c])[0] for c in range(m)])),
        "spearman": float(scipy.stats.spearmanr(*flat)[0]),
    }
    return dict(kind="values", shape=[n, m], predictions=guess, targets=target, values=values)


def main():
    cases = [classes(), binary(), independent(), numbers()]
    for case in cases:
        for key in ("predictions", "targets"):
            case[key] = np.asarray(case[key]).ravel().tolist()
    document = dict(
        versions={"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}, cases=cases)
    folder = pathlib.Path(__file__).parent / "metrics"
    (folder / "metrics.json").write_text(json.dumps(document) + "\n")
    print(document["versions"])


main()
