"""Draws the losses of a training run into an SVG file, again and again while it goes on."""

import base64
import html
import json
import math
import os
import sys

WIDTH, HEIGHT, MARGIN = 800, 450, 50
MOST_POINTS = 2000


class LivePlot:
    identifier = "LivePlot"
    version = "1.0.0"
    # Training waits for an answer only where it could otherwise end before the last drawing is written.
    hooks = ["beforeFit", "afterStep", "afterEpoch", "afterFit"]
    replies = ["afterEpoch", "afterFit"]

    def __init__(self, configuration):
        self.path = configuration["path"]
        self.every = configuration["every"]
        self.clear()

    def clear(self):
        self.steps, self.losses = [], []
        self.validation = []
        self.stride = 1
        self.step_count = 1

    def beforeFit(self, event):
        self.clear()
        self.step_count = event["step_count"]

    def afterStep(self, event):
        loss = float(event.get("smoothed_loss", "nan"))
        step = event["step"]
        if step % self.stride == 0 and math.isfinite(loss):
            self.steps.append(step)
            self.losses.append(loss)
            if len(self.steps) >= MOST_POINTS:
                # Every second point goes, and from now on only every second one is kept.
                self.steps, self.losses = self.steps[::2], self.losses[::2]
                self.stride *= 2
        if step % self.every == self.every - 1:
            self.draw()

    def afterEpoch(self, event):
        loss = float(event.get("valid_loss", "nan"))
        if math.isfinite(loss):
            self.validation.append((event["step"], loss))
        self.draw()

    def afterFit(self, event):
        self.draw()

    def draw(self):
        """Replaces the file as a whole, so that a viewer never sees half of it."""
        temporary = f"{self.path}.{os.getpid()}.tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(self.svg())
        os.replace(temporary, self.path)

    def svg(self):
        values = self.losses + [loss for _, loss in self.validation]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        if high <= low:
            high = low + 1.0
        last = max(self.step_count, self.steps[-1] if self.steps else 1, 1)

        def x(step):
            return MARGIN + (WIDTH - 2 * MARGIN) * step / last

        def y(loss):
            return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (loss - low) / (high - low)

        def line(points, color):
            places = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in points)
            return f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{places}"/>'

        def text(left, top, content, color="#333"):
            return f'<text x="{left}" y="{top}" fill="{color}">{html.escape(content)}</text>'

        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            ' font-size="14">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" stroke="#999"/>',
            text(4, MARGIN, f"{high:.3g}"), text(4, HEIGHT - MARGIN, f"{low:.3g}"),
            text(WIDTH - 2 * MARGIN, HEIGHT - MARGIN + 20, f"step {last}"),
            text(MARGIN, 30, "training loss", "#1f77b4"), text(MARGIN + 120, 30, "validation loss", "#d62728"),
            line(zip(self.steps, self.losses), "#1f77b4"),
            line(self.validation, "#d62728"),
        ]
        parts += [f'<circle cx="{x(step):.1f}" cy="{y(loss):.1f}" r="4" fill="#d62728"/>'
                  for step, loss in self.validation]
        return "\n".join(parts + ["</svg>", ""])

    def save(self):
        return json.dumps([self.steps, self.losses, self.validation, self.stride, self.step_count]).encode()

    def load(self, state):
        self.steps, self.losses, self.validation, self.stride, self.step_count = json.loads(state)


def send(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def answer(plugin, message):
    """Does what a message asks for; what is to be sent back, if anything."""
    if "save" in message:
        return {"event": message["event"], "state": base64.b64encode(plugin.save()).decode()}
    if "load" in message:
        plugin.load(base64.b64decode(message["load"]))
        return {"event": message["event"]}
    getattr(plugin, message["hook"])(message)
    return {"event": message["event"]} if message["hook"] in plugin.replies else None


def main():
    plugin = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if "create" in message:
                plugin = LivePlot(message["configuration"])
                send({"crest": 1, "cookie": os.environ["CREST_PLUGIN_COOKIE"], "identifier": plugin.identifier,
                      "version": plugin.version, "hooks": plugin.hooks, "replies": plugin.replies, "order": 70})
            else:
                reply = answer(plugin, message)
                if reply:
                    send(reply)
        except OSError as error:
            send({"error": f"{plugin.path} can't be written: {error.strerror}; choose another path"})


if __name__ == "__main__":
    main()
