"""Makes losses/losses.json: losses and their gradients of small predictions, by PyTorch in float64.

    python3 make_losses.py        (needs numpy and torch; see README.md)

Each case names a loss as the command does, with its settings, and has predictions (float32 numbers), targets (whole
numbers or float32 numbers), the value that is minimised, and its gradient by the predictions. Where PyTorch has the loss,
it is PyTorch's own function; else it is the formula that is written here, of Keras or of the paper, which PyTorch
differentiates. `known` holds numbers that were computed with the libraries beforehand.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(20261130)
cases = []


def f32(values):
    return np.asarray(values, np.float32).astype(np.float64)


def normal(*shape, scale=1.5):
    return f32(rng.normal(size=shape) * scale)


def chances(*shape, axis=1):
    x = np.exp(rng.normal(size=shape))
    x = f32(x / x.sum(axis, keepdims=True))
    return x


def case(name, loss, settings, predictions, targets, function, known=None, whole=None):
    predictions, targets = f32(predictions), np.asarray(targets)
    whole = targets.dtype.kind in "iub" if whole is None else whole
    x = torch.tensor(predictions, requires_grad=True)
    t = torch.tensor(targets.astype(np.int64) if whole else f32(targets))
    value = function(x, t)
    value.backward()
    if known is not None:
        assert abs(value.item() - known) <= 1e-8 * max(1, abs(known)), (name, value.item(), known)
    cases.append(dict(
        name=name, loss=loss, settings={k: str(v) for k, v in settings.items()},
        shape=list(predictions.shape), predictions=predictions.ravel().tolist(),
        targetShape=list(targets.shape), isWhole=bool(whole),
        targets=np.asarray(t, np.float64).ravel().tolist(),
        value=value.item(), gradient=x.grad.numpy().ravel().tolist()))


def listed(values):
    return "/".join(str(v) for v in values)


X = [[2, .5, -1], [0, 1, .3], [-.5, .2, 1.5], [1, 1, 1]]
Y = np.array([0, 2, 1, -100])
Q = [[.7, .2, .1], [0, 1, 0], [.5, .5, 0], [.25, .25, .5]]
W = [1, 2, .5]


def classes():
    w = torch.tensor(f32(W))
    def ce(weight=None, smoothing=0.0, ignored=-100, reduction="mean"):
        return lambda x, t: F.cross_entropy(x, t, weight=weight, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction)
    ignoring = {"ignored-label": -100}
    weighing = {"class-weights": listed(W)}
    smoothing = {"label-smoothing": .1}
    case("labels, one ignored", "cross-entropy", ignoring, X, Y, ce(), 1.068787052)
    case("weights", "cross-entropy", ignoring | weighing, X, Y, ce(w), 1.196271428)
    case("smoothing", "cross-entropy", ignoring | smoothing, X, Y, ce(smoothing=.1), 1.107675941)
    case("weights and smoothing", "cross-entropy", ignoring | weighing | smoothing, X, Y, ce(w, .1), 1.216380133)
    case("sum", "cross-entropy", ignoring | weighing | {"reduction": "sum"}, X, Y, ce(w, reduction="sum"))
    case("plain labels", "cross-entropy", {}, X, np.array([0, 2, 1, 1]), ce())
    case("weights, one of 0", "cross-entropy", {"class-weights": "1/0/3"}, X, np.array([0, 2, 1, 1]), ce(torch.tensor([1., 0, 3.], dtype=torch.float64)))
    case("an ignored class", "cross-entropy", {"ignored-label": 1}, X, np.array([0, 2, 1, 1]), ce(ignored=1))
    case("probabilities", "cross-entropy", {}, X, Q, ce(), 1.138743361)
    case("weighted probabilities", "cross-entropy", weighing, X, Q, ce(w), 1.546295519)
    case("smoothed probabilities", "cross-entropy", smoothing, X, Q, ce(smoothing=.1), 1.161660028)
    case("weighted and smoothed probabilities", "cross-entropy", weighing | smoothing, X, Q, ce(w, .1))
    pixels, labels = normal(2, 4, 3, 2), rng.integers(0, 4, (2, 3, 2))
    labels[0, 1, 1] = labels[1, 0, 0] = 255
    w4 = [.5, 2, 1, 1.5]
    t4 = torch.tensor(f32(w4))
    case("pixels", "cross-entropy", {"class-weights": listed(w4), "ignored-label": 255} | smoothing, pixels, labels, ce(t4, .1, 255))
    last = np.moveaxis(pixels, 1, -1)
    case("classes along the last axis", "cross-entropy", {"class-weights": listed(w4), "ignored-label": 255}, last, labels,
         lambda x, t: ce(t4, 0.0, 255)(x.movedim(-1, 1), t))
    all_ignored = np.full((2, 3, 2), 255)
    case("nothing counts", "cross-entropy", {"ignored-label": 255, "class-weights": listed(w4)}, pixels, all_ignored, lambda x, t: (x * 0).sum())

    # Lin et al. with the probability of the plain softmax; the mean by the weights of classes alone.
    def focal(gamma, alpha=1.0, weight=None, ignored=-100):
        def loss(x, t):
            ce = F.cross_entropy(x, t, reduction="none", ignore_index=ignored)
            kept = (t != ignored).double()
            w = kept if weight is None else weight[t.clamp(0, len(weight) - 1)] * kept
            return (alpha * w * (1 - torch.exp(-ce)) ** gamma * ce).sum() / w.sum()
        return loss
    case("three labels", "focal", {}, X[:3], Y[:3], focal(2), np.mean([.01109275, .712096098, 1.067869487]))
    case("gamma and alpha", "focal", {"gamma": 1.5, "alpha": .25} | ignoring, X, Y, focal(1.5, .25))
    case("gamma of 0", "focal", {"gamma": 0} | ignoring, X, Y, focal(0))
    case("gamma of 1, weights", "focal", {"gamma": 1} | ignoring | weighing, X, Y, focal(1, weight=w))
    case("pixels", "focal", {"gamma": .5, "ignored-label": 255, "class-weights": listed(w4)}, pixels, labels, focal(.5, weight=t4, ignored=255))
    def focal_of_chances(x, t):
        log_p = F.log_softmax(x, 1)
        return -(t * (1 - log_p.exp()) ** 2 * log_p).sum(1).mean()
    case("probabilities", "focal", {}, X, Q, focal_of_chances)

    logs = torch.log_softmax(torch.tensor(f32(X)), 1).numpy()
    case("labels", "nll", ignoring | weighing, logs, Y, lambda x, t: F.nll_loss(x, t, weight=w))
    case("pixels", "nll", {"ignored-label": 255}, pixels, labels, lambda x, t: F.nll_loss(x, t, ignore_index=255))
    case("batch mean", "kl-divergence", {}, X, Q, lambda x, t: F.kl_div(F.log_softmax(x, 1), t, reduction="batchmean"), .505071735)
    case("margin", "multi-class-hinge", {"margin": 1.5}, X, np.array([0, 2, 1, 1]), lambda x, t: F.multi_margin_loss(x, t, margin=1.5))


def binaries():
    z, t = [1.5, -.5, 0, 2], [1., 0, 1, 0]
    column = np.array(z)[:, None]
    bce = F.binary_cross_entropy_with_logits
    case("plain", "bce", {}, z, t, bce, .873891363)
    case("labels beside a column", "bce", {}, column, np.array(t, int), lambda x, t: bce(x[:, 0], t.double()))
    case("positive weight", "bce", {"pos-weight": 3}, z, t, lambda x, t: bce(x, t, pos_weight=torch.tensor(3., dtype=torch.float64)),
         np.mean([.604239834, .474076984, 2.079441542, 2.126928011]))
    many, truths = normal(5, 3), rng.integers(0, 2, (5, 3))
    case("positive weights of labels", "bce", {"pos-weight": "3/0.5/1"}, many, truths,
         lambda x, t: bce(x, t.double(), pos_weight=torch.tensor([3, .5, 1], dtype=torch.float64)))
    case("smoothing", "bce", {"label-smoothing": .1}, many, truths, lambda x, t: bce(x, t * .9 + .05))
    confident = f32([[9, -9], [-12, 14]])
    case("confident and right", "bce", {"pos-weight": 2}, confident, np.array([[1, 0], [0, 1]]),
         lambda x, t: bce(x, t.double(), pos_weight=torch.tensor(2., dtype=torch.float64)))

    def focal(gamma, alpha=None):
        def loss(x, t):
            t = t.double()
            p = torch.sigmoid(x)
            q = p * t + (1 - p) * (1 - t)
            losses = bce(x, t, reduction="none") * (1 - q) ** gamma
            return (losses if alpha is None else losses * (alpha * t + (1 - alpha) * (1 - t))).mean()
        return loss
    case("alpha and gamma", "binary-focal", {"alpha": .25}, z, t, focal(2, .25), .333309041)
    case("gamma", "binary-focal", {}, z, t, focal(2), np.mean([.006702847, .067573491, .173286795, 1.650078179]))
    case("gamma of 1.5, labels", "binary-focal", {"gamma": 1.5, "alpha": .6}, many, truths, focal(1.5, .6))
    case("probabilities", "binary-focal", {"gamma": 3}, many, f32(rng.random((5, 3))), focal(3))
    signed = np.where(truths > 0, 1, -1)
    hinge = lambda x, t: F.relu(1 - (2.0 * (t > 0) - 1) * x)
    case("labels", "hinge", {}, many, truths, lambda x, t: hinge(x, t).mean())
    case("signs", "hinge", {}, many, signed, lambda x, t: hinge(x, t).mean())
    case("numbers", "squared-hinge", {}, many, signed.astype(float), lambda x, t: (hinge(x, t) ** 2).mean())


def values():
    e, zero = f32([0, .3, 1, 2.5, -.7]), np.zeros(5)
    case("mean", "mse", {}, e, zero, F.mse_loss)
    case("sum", "mse", {"reduction": "sum"}, e, zero, lambda x, t: F.mse_loss(x, t, reduction="sum"))
    case("mean", "mae", {}, e, zero, F.l1_loss)
    case("delta", "huber", {"delta": .5}, e, zero, lambda x, t: F.huber_loss(x, t, delta=.5))
    case("plain", "smooth-l1", {}, e, zero, F.smooth_l1_loss)
    case("beta", "smooth-l1", {"beta": .5}, e[:4], zero[:4], lambda x, t: F.smooth_l1_loss(x, t, beta=.5), np.mean([0, .09, .75, 2.25]))
    case("beta of 0", "smooth-l1", {"beta": 0}, e[1:], zero[1:], lambda x, t: F.smooth_l1_loss(x, t, beta=0))
    log_cosh = lambda x, t: torch.log(torch.cosh(x - t)).mean()
    case("of e = 1, -2, .5", "log-cosh", {}, [0, 0, 0], [1., -2, .5], log_cosh, np.mean([.433780830, 1.325002747, .120114507]))
    case("near zero", "log-cosh", {}, [.25, -.1, .01, .29, .31], np.zeros(5), log_cosh)
    small = lambda d: d ** 2 / 2 - d ** 4 / 12
    case("very near zero", "log-cosh", {}, f32([1e-3, -2e-4]), np.zeros(2), lambda x, t: small(x - t).mean())
    positive, rates = f32(rng.random((4, 3)) * 4 + .2), f32(rng.random((4, 3)) * 5)
    log1 = lambda v: torch.log(v.clamp(min=1e-7) + 1)
    case("positive", "msle", {}, positive, rates, lambda x, t: ((log1(x) - log1(t)) ** 2).mean())
    case("numbers", "mape", {}, positive, f32(rng.normal(size=(4, 3)) * 3), lambda x, t: (100 * (x - t).abs() / t.abs().clamp(min=1e-7)).mean())
    counts = rng.integers(0, 6, (4, 3)).astype(float)
    for full in (False, True):
        word = str(full).lower()
        case(f"logarithms, full {word}", "poisson", {"full": word}, normal(4, 3), counts, lambda x, t: F.poisson_nll_loss(x, t, full=full))
        case(f"rates, full {word}", "poisson", {"full": word, "log-input": "false"}, positive, counts,
             lambda x, t: F.poisson_nll_loss(x, t, log_input=False, full=full))
        case(f"known, full {word}", "poisson", {"full": word}, [.5, 1], [2., 0], lambda x, t: F.poisson_nll_loss(x, t, full=full),
             np.mean([1.300527755 if full else .648721271, 2.718281828]))
        gaussian = lambda x, t: F.gaussian_nll_loss(x[:, 0], t, x[:, 1].exp(), full=full, eps=1e-30)
        case(f"full {word}", "gaussian", {"full": word}, normal(5, 2), normal(5), gaussian)
        case(f"positions, full {word}", "gaussian", {"full": word}, normal(3, 2, 4), normal(3, 4), gaussian)
    case("known", "gaussian", {}, [[.5, math.log(.25)]], [2.], lambda x, t: F.gaussian_nll_loss(x[:, 0], t, x[:, 1].exp(), eps=1e-30))
    pinball = lambda x, t, tau: torch.maximum(tau * (t - x), (tau - 1) * (t - x))
    case("known", "quantile", {"quantiles": .1}, [0, 0, 0], [1., -2, .5], lambda x, t: pinball(x, t, .1).mean(), np.mean([.1, 1.8, .05]))
    taus = [.1, .5, .9]
    case("several", "quantile", {"quantiles": listed(taus)}, normal(6, 3), normal(6),
         lambda x, t: sum(pinball(x[:, i], t, tau) for i, tau in enumerate(taus)).mean())


def embeddings():
    u, v, n = [[1., 2, 3], [0, 1, 0]], [[2., 1, 0], [0, -1, 0]], [[0., 2, 1], [1, 0, 0]]
    cosine = lambda x, t: -F.cosine_similarity(x, t, dim=-1).mean()
    case("known", "cosine-similarity", {}, u, v, cosine, -np.mean([.478091444, -1]))
    case("several", "cosine-similarity", {"axis": 1}, normal(4, 5, 2), normal(4, 5, 2), lambda x, t: -F.cosine_similarity(x, t, dim=1).mean())
    pairs = normal(6, 2, 4)
    signs = np.array([1, -1, -1, 1, -1, 1])
    pair = lambda margin: lambda x, t: F.cosine_embedding_loss(x[:, 0], x[:, 1], torch.where(t > 0, 1, -1), margin=margin)
    case("signs", "cosine-embedding", {}, pairs, signs, pair(0))
    case("labels and a margin", "cosine-embedding", {"margin": .2}, pairs, (signs + 1) // 2, pair(.2))
    triple = lambda m, s: lambda x, t: F.triplet_margin_loss(x[:, 0], x[:, 1], x[:, 2], margin=m, swap=s)
    known = np.stack([u, v, n], 1)
    case("known", "triplet", {}, known, np.zeros(2), triple(1, False), np.mean([2.080556376, 1.585787438]))
    case("margin and swaps", "triplet", {"margin": .5, "swaps": "true"}, normal(5, 3, 4), np.zeros(5), triple(.5, True))


def regions():
    def sums(p, t, batch=False):
        axes = ([0] if batch else []) + list(range(2, p.dim()))
        total = lambda v: v.sum(axes) if axes else v
        return total(p * t), total(p), total(t)
    def dice(s=1.0, batch=False):
        def loss(p, t):
            both, predicted, true = sums(p, t, batch)
            return (1 - (2 * both + s) / (predicted + true + s)).mean()
        return loss
    def tversky(a, b, s=1.0, gamma=1.0, batch=False):
        def loss(p, t):
            both, predicted, true = sums(p, t, batch)
            return ((1 - (both + s) / (both + a * (predicted - both) + b * (true - both) + s)) ** (1 / gamma)).mean()
        return loss
    def of_classes(f, ignored=None):
        def loss(x, t):
            p = x.softmax(1)
            if t.is_floating_point():
                return f(p, t)
            kept = torch.ones_like(t) if ignored is None else (t != ignored)
            hot = F.one_hot(t.clamp(0, x.shape[1] - 1), x.shape[1]).movedim(-1, 1)
            kept = kept[:, None].double()
            return f(p * kept, hot * kept)
        return loss
    of_labels = lambda f: lambda x, t: f(x.sigmoid(), t.double())
    p = torch.tensor([.9, .2, .6, .4], dtype=torch.float64)
    t = torch.tensor([1., 0, 1, 1], dtype=torch.float64)
    known = [(dice(1e-6), .254901911), (dice(1), .213114754), (tversky(.3, .7), .222520107), (tversky(.3, .7, gamma=4 / 3), .323986523)]
    for function, value in known:
        assert abs(function(p[None, None], t[None, None]).item() - value) < 1e-8
    pixels, labels = normal(2, 3, 4, 2), rng.integers(0, 2, (2, 4, 2))  # class 2 never comes up
    case("labels", "dice", {}, pixels, labels, of_classes(dice()))
    case("smooth, by batch", "dice", {"smooth": .001, "per-batch": "true"}, pixels, labels, of_classes(dice(.001, True)))
    masked = labels.copy()
    masked[0, 0] = 255
    case("an ignored label", "dice", {"ignored-label": 255}, pixels, masked, of_classes(dice(), 255))
    case("probabilities", "dice", {}, pixels, chances(2, 3, 4, 2), of_classes(dice()))
    case("classes along the last axis", "dice", {}, np.moveaxis(pixels, 1, -1), labels, lambda x, t: of_classes(dice())(x.movedim(-1, 1), t))
    case("last axis, by batch", "dice", {"per-batch": "true"}, np.moveaxis(pixels, 1, -1), labels,
         lambda x, t: of_classes(dice(1, True))(x.movedim(-1, 1), t))
    case("one class an example", "dice", {"per-batch": "true"}, X, np.array([0, 2, 1, 1]), of_classes(dice(1, True)))
    masks, truths = normal(2, 1, 4, 3), rng.integers(0, 2, (2, 1, 4, 3))
    case("masks", "dice", {"of": "labels"}, masks, truths, of_labels(dice()))
    case("false positives and negatives", "tversky", {"of": "labels", "alpha": .3, "beta": .7}, masks, truths, of_labels(tversky(.3, .7)))
    case("focal", "tversky", {"alpha": .3, "beta": .7, "gamma": 4 / 3}, pixels, labels, of_classes(tversky(.3, .7, gamma=4 / 3)))
    case("by batch", "tversky", {"of": "labels", "per-batch": "true", "smooth": .5}, masks, truths, of_labels(tversky(.5, .5, .5, batch=True)))


def sequences():
    def ctc(blank=0, padding=0, reduction="mean", zero=False):
        def loss(x, t):
            kept = [[v for v in row.tolist() if v not in (blank, padding)] for row in t]
            lengths = torch.tensor([len(k) for k in kept])
            width = max(1, int(lengths.max()))
            filled = torch.tensor([k + [blank + 1] * (width - len(k)) for k in kept])
            steps = torch.full((len(kept),), x.shape[1])
            logs = F.log_softmax(x, -1).transpose(0, 1)
            if reduction == "by-example":
                return F.ctc_loss(logs, filled, steps, lengths, blank=blank, reduction="none", zero_infinity=zero).mean()
            return F.ctc_loss(logs, filled, steps, lengths, blank=blank, reduction=reduction, zero_infinity=zero)
        return loss
    x = [[[.5, 1, -.2], [.1, .2, .3], [1, -1, .5], [.2, .2, .2]]]
    case("known", "ctc", {}, x, np.array([[1, 2]]), ctc(), .642866176)
    case("known, not by length", "ctc", {"by-length": "false"}, x, np.array([[1, 2]]), ctc(reduction="by-example"), 1.285732353)
    many = normal(4, 7, 5)
    labels = np.array([[1, 1, 2], [3, 0, 0], [4, 2, 0], [2, 2, 2]])
    case("repetitions and padding", "ctc", {}, many, labels, ctc())
    case("sum", "ctc", {"by-length": "false", "reduction": "sum"}, many, labels, ctc(reduction="sum"))
    case("another blank and padding", "ctc", {"blank": 4, "padding": -1}, many, np.array([[1, 1, 2], [3, -1, -1], [0, 2, -1], [2, 2, 2]]), ctc(4, -1))
    case("classes along axis 1", "ctc", {"class-axis": 1}, np.swapaxes(many, 1, 2), labels, lambda x, t: ctc()(x.transpose(1, 2), t))
    case("no path, as 0", "ctc", {"zero-infinity": "true"}, many[:, :3], labels, ctc(zero=True))


for part in (classes, binaries, values, embeddings, regions, sequences):
    part()

folder = pathlib.Path(__file__).parent / "losses"
folder.mkdir(exist_ok=True)
text = json.dumps(dict(torch=torch.__version__, cases=cases))
(folder / "losses.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")
print(len(cases), "cases", len(text), "bytes")
