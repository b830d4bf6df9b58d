// The server's monotonic clock, as well as a browser can know it.
//
// Each message carries the server's time of its making. The fastest of the last minute's messages
// gives the offset, so that one that was held up on its way looks as old as it is. A machine that
// slept makes wall time run ahead of the page's own clock: then that much time has passed too.

const SAMPLES_MAX = 120;
const SLEEP_MS = 1500;

export class Clock {
  constructor(perf = () => performance.now(), date = () => Date.now()) {
    this.perf = perf;
    this.date = date;
    this.slept = 0;
    this.lastPerf = perf();
    this.lastDate = date();
    this.reset();
  }

  reset() {
    this.samples = [];
    this.offset = null;
    this.wallOffset = null;
  }

  local() {
    const perf = this.perf();
    const date = this.date();
    const ahead = date - this.lastDate - (perf - this.lastPerf);
    if (ahead > SLEEP_MS) this.slept += ahead;
    this.lastPerf = perf;
    this.lastDate = date;
    return perf + this.slept;
  }

  hear(serverMs, wallMs) {
    this.samples.push(serverMs - this.local());
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    this.offset = Math.max(...this.samples);
    this.wallOffset = wallMs - serverMs;
  }

  // Server's monotonic milliseconds now; null before anything was heard.
  now() {
    return this.offset === null ? null : this.local() + this.offset;
  }

  // Server's wall clock now.
  wall() {
    return this.offset === null ? null : this.now() + this.wallOffset;
  }
}
