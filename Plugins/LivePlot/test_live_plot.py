"""The drawing by itself, without a trainer: python3 -m unittest."""

import os
import tempfile
import unittest
import xml.etree.ElementTree

from live_plot import MOST_POINTS, LivePlot, answer


class LivePlotTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "loss.svg")
        self.plot = LivePlot({"path": self.path, "every": 10})

    def tearDown(self):
        self.folder.cleanup()

    def train(self, steps):
        self.plot.beforeFit({"step_count": steps})
        for step in range(steps):
            self.plot.afterStep({"step": step, "smoothed_loss": 1 / (1 + step)})
        self.plot.afterEpoch({"step": steps, "valid_loss": 0.5})

    def test_the_drawing_is_xml_with_both_curves(self):
        self.train(25)
        root = xml.etree.ElementTree.parse(self.path).getroot()
        lines = root.findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual([len(line.get("points").split()) for line in lines], [25, 1])
        self.assertEqual(os.listdir(self.folder.name), ["loss.svg"])

    def test_a_long_run_keeps_a_bounded_number_of_points(self):
        self.plot.every = 10_000
        self.train(20_000)
        self.assertLess(len(self.plot.steps), MOST_POINTS)
        self.assertEqual(self.plot.steps, sorted(set(self.plot.steps)))

    def test_a_loss_that_is_not_finite_is_left_out(self):
        self.plot.beforeFit({"step_count": 2})
        self.plot.afterStep({"step": 0, "smoothed_loss": "nan"})
        self.plot.afterEpoch({"step": 1, "valid_loss": "inf"})
        self.assertEqual((self.plot.losses, self.plot.validation), ([], []))

    def test_the_state_comes_back(self):
        self.train(30)
        state = answer(self.plot, {"event": 1, "save": True})["state"]
        other = LivePlot({"path": self.path, "every": 10})
        self.assertEqual(answer(other, {"event": 2, "load": state}), {"event": 2})
        self.assertEqual(other.svg(), self.plot.svg())


if __name__ == "__main__":
    unittest.main()
