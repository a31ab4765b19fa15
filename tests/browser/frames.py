"""What the display of a page does: noted in the page, for a driver's own calls take their time."""

_NOTE_FRAMES = """
window.frames_ = { longest: 0, tasks: [], events: 0 };
let last = performance.now();
requestAnimationFrame(function frame(now) {
  frames_.longest = Math.max(frames_.longest, now - last);
  last = now;
  requestAnimationFrame(frame);
});
const note = (type, options, each) => new PerformanceObserver(
  (list) => list.getEntries().forEach(each)).observe({ type, ...options });
note('longtask', {}, (entry) => frames_.tasks.push(entry.duration));
note('event', { durationThreshold: 16 },
  (entry) => { frames_.events = Math.max(frames_.events, entry.processingEnd - entry.startTime); });
"""


class Frames:
    """Watches a window from now on; times in milliseconds, unless said."""

    def __init__(self, window):
        self._driver = window.driver
        self._driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        self._driver.execute_script(_NOTE_FRAMES)
        self._begin = self._cpu()

    def _cpu(self):
        metrics = self._driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    @property
    def computed(self):
        """What the page's thread has computed, in seconds of a processor."""
        return self._cpu() - self._begin

    def _read(self):
        return self._driver.execute_script("return window.frames_")

    @property
    def longest_frame(self):
        """The longest time without a picture."""
        return self._read()["longest"]

    @property
    def longest_task(self):
        return max([0, *self._read()["tasks"]])

    @property
    def slowest_key(self):
        """From a key to the end of what the page does upon it."""
        return self._read()["events"]
