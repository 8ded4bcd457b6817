// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a call on one time axis:
//
//   ruler     0:01      0:02      0:03
//   events    answered                                    agent hung up
//   caller    ~~~~ turn ~~~~                 ~~~~~~~
//   between        |--- 742 ms -->|          |stopped after 265 ms|
//   agent                         ~~~~ turn ~~~~~~~~
//   notes     late packets

const LANES = {ruler: [0, 22], events: [22, 44], caller: [48, 148], between: [148, 200], agent: [200, 300],
               notes: [302, 314]};
const TIMELINE_HEIGHT = 316;
const STEPS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000];

class TimelinePainter {
  constructor(run, sound) {
    this.run = run;
    this.sound = sound;
    this.turns = run.turns;
    this.gain = sound.peaks.length ? 0.92 / sound.loudest() : 1;
  }

  paint(canvas, width, from, to) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(TIMELINE_HEIGHT * ratio);
    const pen = canvas.getContext('2d');
    pen.scale(ratio, ratio);
    this.pen = pen;
    this.width = width;
    this.from = from;
    this.to = to;
    this.colors = {};
    for (const name of ['ink', 'muted', 'line', 'surface', 'lane', 'caller', 'agent', 'fail', 'yield', 'warn']) {
      this.colors[name] = themeColor(name);
    }
    this.family = getComputedStyle(document.body).fontFamily;
    this.taken = [[], []];
    this.lanes();
    this.ruler();
    this.turnBoxes();
    this.waves();
    this.overlaps();
    this.events();
    this.latencies();
    this.digits();
    this.lateTicks();
  }

  x(ms) { return (ms - this.from) / (this.to - this.from) * this.width; }
  visible(start, end) { return end >= this.from && start <= this.to; }

  text(words, x, y, {color = 'ink', size = 11, align = 'left', weight = 400, room = Infinity} = {}) {
    const pen = this.pen;
    pen.font = `${weight} ${size}px ${this.family}`;
    pen.fillStyle = this.colors[color] || color;
    pen.textAlign = align;
    pen.textBaseline = 'middle';
    let shown = words;
    if (pen.measureText(shown).width > room) {
      while (shown.length > 1 && pen.measureText(`${shown}\u2026`).width > room) shown = shown.slice(0, -1);
      if (shown.length < 3) return;
      shown = `${shown.trimEnd()}\u2026`;
    }
    pen.fillText(shown, x, y);
  }

  lanes() {
    for (const side of ['caller', 'agent']) {
      const [top, bottom] = LANES[side];
      this.pen.fillStyle = this.colors.lane;
      this.pen.beginPath();
      this.pen.roundRect(0, top, this.width, bottom - top, 6);
      this.pen.fill();
      this.pen.fillStyle = this.colors.line;
      this.pen.fillRect(0, (top + bottom) / 2 - 0.5, this.width, 1);
    }
  }

  ruler() {
    const span = this.to - this.from;
    const step = STEPS_MS.find((ms) => ms / span * this.width >= 76) || 600000;
    const decimals = step >= 1000 ? 0 : step >= 100 ? 1 : 2;
    for (let ms = Math.ceil(this.from / step) * step; ms <= this.to; ms += step) {
      const x = this.x(ms);
      this.pen.fillStyle = this.colors.line;
      this.pen.fillRect(Math.round(x), LANES.ruler[1] - 6, 1, LANES.agent[1] - LANES.ruler[1] + 6);
      const align = x < 16 ? 'left' : x > this.width - 20 ? 'right' : 'center';
      this.text(clock(ms, decimals), x, 9, {color: 'muted', align});
    }
  }

  turnBoxes() {
    const pen = this.pen;
    for (const turn of this.turns) {
      if (!this.visible(turn.start_ms, turn.end_ms)) continue;
      const [top, bottom] = LANES[turn.who];
      const left = this.x(turn.start_ms);
      const width = Math.max(2, this.x(turn.end_ms) - left);
      pen.fillStyle = this.colors[turn.who];
      pen.globalAlpha = turn.backchannel ? 0.07 : 0.14;
      pen.fillRect(left, top, width, bottom - top);
      pen.globalAlpha = turn.backchannel ? 0.4 : 1;
      pen.fillRect(left, turn.who === 'caller' ? top : bottom - 3, width, 3);
      pen.globalAlpha = 1;
      if (turn.touched_by_late_tick) {
        pen.fillStyle = this.colors.warn;
        pen.fillRect(left, turn.who === 'caller' ? top + 3 : bottom - 5, width, 2);
      }
    }
    this.words();
  }

  words() {
    for (const line of this.run.transcript_object) {
      if (!this.visible(line.start_ms, line.end_ms)) continue;
      const side = line.role === 'Main Agent' ? 'agent' : 'caller';
      const left = Math.max(2, this.x(line.start_ms));
      const room = Math.min(this.width, this.x(line.end_ms)) - left - 10;
      const y = side === 'caller' ? LANES.caller[0] + 13 : LANES.agent[1] - 13;
      if (room > 24) this.text(line.content, left + 5, y, {room});
    }
  }

  waves() {
    const perPixel = (this.to - this.from) / this.width;
    for (const [channel, side] of [[0, 'caller'], [1, 'agent']]) {
      if (!this.sound.peaks[channel]) continue;
      const [top, bottom] = LANES[side];
      const middle = (top + bottom) / 2;
      const scale = (bottom - top) / 2 * this.gain * 0.72;
      const mine = this.turns.filter((turn) => turn.who === side);
      const pen = this.pen;
      pen.fillStyle = this.colors[side];
      let next = 0;
      for (let x = 0; x < this.width; x += 1) {
        const ms = this.from + x * perPixel;
        if (ms > this.sound.durationMs) break;
        const [low, high] = this.sound.range(channel, ms, ms + perPixel);
        while (next < mine.length && mine[next].end_ms < ms) ++next;
        const spoken = next < mine.length && mine[next].start_ms <= ms + perPixel;
        pen.globalAlpha = spoken ? 0.95 : 0.38;
        const y = middle - high * scale;
        pen.fillRect(x, y, 1, Math.max(1, (high - low) * scale));
      }
      pen.globalAlpha = 1;
    }
  }

  /// A label on the gutter between the lanes; false where another stands there.
  pill(words, center, row, color, strong) {
    const pen = this.pen;
    pen.font = `600 11px ${this.family}`;
    const width = pen.measureText(words).width + 12;
    const left = Math.max(1, Math.min(center - width / 2, this.width - width - 1));
    if (this.taken[row].some(([a, b]) => left < b + 3 && left + width > a - 3)) return false;
    this.taken[row].push([left, left + width]);
    const y = LANES.between[0] + (row === 0 ? 13 : 33);
    pen.fillStyle = strong ? this.colors[color] : this.colors.surface;
    pen.strokeStyle = this.colors[color];
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(left, y, width, 18, 9);
    pen.fill();
    pen.stroke();
    this.text(words, left + 6, y + 9.5, {color: strong ? this.colors.surface : color, weight: 600});
    return true;
  }

  arrow(fromMs, toMs, y, color, dashed) {
    const pen = this.pen;
    const left = this.x(fromMs);
    const right = this.x(toMs);
    pen.strokeStyle = pen.fillStyle = this.colors[color];
    pen.lineWidth = 1.5;
    pen.setLineDash(dashed ? [4, 3] : []);
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(right, y);
    pen.stroke();
    pen.setLineDash([]);
    if (right - left < 5) return;
    pen.beginPath();
    pen.moveTo(right, y);
    pen.lineTo(right - 6, y - 4);
    pen.lineTo(right - 6, y + 4);
    pen.fill();
  }

  guide(ms, top, bottom, color) {
    const pen = this.pen;
    pen.strokeStyle = this.colors[color];
    pen.lineWidth = 1;
    pen.setLineDash([2, 2]);
    pen.beginPath();
    pen.moveTo(this.x(ms), top);
    pen.lineTo(this.x(ms), bottom);
    pen.stroke();
    pen.setLineDash([]);
  }

  latencies() {
    const y = LANES.between[0] + 8;
    for (const turn of this.turns) {
      if (!isNumber(turn.latency_ms)) continue;
      const start = turn.start_ms - turn.latency_ms;
      if (!this.visible(start, turn.start_ms)) continue;
      this.guide(start, LANES.caller[0], y, 'muted');
      this.guide(turn.start_ms, y, LANES.agent[1], 'muted');
      this.arrow(start, turn.start_ms, y, turn.touched_by_late_tick ? 'warn' : 'ink', turn.touched_by_late_tick);
    }
    // Labels last, so that no line crosses one.
    for (const turn of this.turns) {
      const color = turn.touched_by_late_tick ? 'warn' : 'ink';
      if (isNumber(turn.latency_ms) && this.visible(turn.start_ms - turn.latency_ms, turn.start_ms)) {
        const center = (this.x(turn.start_ms - turn.latency_ms) + this.x(turn.start_ms)) / 2;
        const words = quantity(turn.latency_ms, 'ms');
        this.pill(words, center, 0, color, false) || this.pill(words, center, 1, color, false);
      }
    }
    this.interruptionLabels();
  }

  /// Where both speak at once: across both lanes, hatched.
  overlaps() {
    const pen = this.pen;
    for (const turn of this.turns) {
      if (!isNumber(turn.overlap_ms) || turn.overlap_ms <= 0) continue;
      const end = turn.start_ms + turn.overlap_ms;
      if (!this.visible(turn.start_ms, end)) continue;
      const left = this.x(turn.start_ms);
      const width = Math.max(2, this.x(end) - left);
      const [top, bottom] = [LANES.caller[0], LANES.agent[1]];
      pen.save();
      pen.beginPath();
      pen.rect(left, top, width, bottom - top);
      pen.clip();
      pen.fillStyle = pen.strokeStyle = this.colors[turn.who === 'agent' ? 'fail' : 'yield'];
      pen.globalAlpha = 0.1;
      pen.fillRect(left, top, width, bottom - top);
      pen.globalAlpha = 0.4;
      pen.lineWidth = 1;
      pen.beginPath();
      for (let x = left - (bottom - top); x < left + width; x += 7) {
        pen.moveTo(x, bottom);
        pen.lineTo(x + bottom - top, top);
      }
      pen.stroke();
      pen.restore();
    }
  }

  interruptionLabels() {
    const y = LANES.between[0] + 42;
    for (const turn of this.turns) {
      if (!turn.interrupts) continue;
      const overlap = turn.overlap_ms || 0;
      if (!this.visible(turn.start_ms, turn.start_ms + Math.max(overlap, turn.yielded_after_ms || 0))) continue;
      const left = this.x(turn.start_ms);
      if (turn.who === 'agent') {
        const words = `agent cut in, ${quantity(overlap, 'ms')} over`;
        this.pill(words, left + 70, 1, 'fail', true) || this.pill('cut in', left + 22, 0, 'fail', true);
        continue;
      }
      if (isNumber(turn.yielded_after_ms)) {
        const end = turn.start_ms + turn.yielded_after_ms;
        this.arrow(turn.start_ms, end, y, 'yield', false);
        const words = `stopped after ${quantity(turn.yielded_after_ms, 'ms')}`;
        this.pill(words, this.x(end) + 74, 1, 'yield', false) ||
          this.pill(quantity(turn.yielded_after_ms, 'ms'), this.x(end) + 30, 0, 'yield', false);
      } else {
        this.pill('agent did not stop', left + 62, 1, 'fail', true) || this.pill('no stop', left + 28, 0, 'fail', true);
      }
    }
  }

  events() {
    const timing = this.run.timing;
    const ended = this.run.metadata.hung_up_by ? `${this.run.metadata.hung_up_by} hung up` : 'ended';
    const marks = [[timing.invite_ms, 'INVITE'], [timing.ringing_ms, 'ringing'], [timing.answered_ms, 'answered'],
                   [timing.ended_ms, ended]];
    const used = [];
    // The answer and the end first: where there is no room for all, they are named.
    for (const [ms, words] of [marks[2], marks[3], marks[1], marks[0]]) {
      if (!isNumber(ms) || !this.visible(ms, ms)) continue;
      const x = this.x(ms);
      const strong = words === 'answered' || words === ended;
      if (strong) this.guide(ms, LANES.events[0] + 2, LANES.agent[1], 'muted');
      this.pen.font = `600 11px ${this.family}`;
      const width = this.pen.measureText(words).width;
      const onLeft = x + width + 8 > this.width;
      const left = onLeft ? x - width - 5 : x + 5;
      if (used.some(([a, b]) => left < b + 6 && left + width > a - 6)) continue;
      used.push([left, left + width]);
      this.text(words, left, 34, {color: strong ? 'ink' : 'muted', weight: strong ? 600 : 400});
    }
    // The caller's decisions: dots, named when pointed at.
    this.pen.fillStyle = this.colors.muted;
    for (const event of this.run.timeline) {
      if (!this.visible(event.t_ms, event.t_ms)) continue;
      this.pen.beginPath();
      this.pen.arc(this.x(event.t_ms), LANES.events[1] + 1, 2, 0, 2 * Math.PI);
      this.pen.fill();
    }
  }

  digits() {
    const pen = this.pen;
    const used = {caller: -Infinity, agent: -Infinity};
    for (const digit of this.run.dtmf) {
      if (!this.visible(digit.start_ms, digit.start_ms + digit.duration_ms)) continue;
      const x = this.x(digit.start_ms);
      const [top, bottom] = LANES[digit.by];
      const y = digit.by === 'caller' ? bottom - 20 : top + 4;
      pen.fillStyle = this.colors[digit.by];
      pen.globalAlpha = 0.4;
      pen.fillRect(x, top, Math.max(1.5, this.x(digit.start_ms + digit.duration_ms) - x), bottom - top);
      pen.globalAlpha = 1;
      const left = Math.max(x, used[digit.by] + 2);
      if (left - x > 40) continue;
      pen.beginPath();
      pen.roundRect(left, y, 16, 16, 4);
      pen.fill();
      this.text(digit.digit, left + 8, y + 8.5, {color: this.colors.surface, align: 'center', weight: 700});
      used[digit.by] = left + 16;
    }
  }

  lateTicks() {
    const pen = this.pen;
    pen.fillStyle = this.colors.warn;
    const [top, bottom] = LANES.notes;
    for (const ms of this.run.engine.late_tick_ms) {
      if (!this.visible(ms, ms)) continue;
      const x = this.x(ms);
      pen.beginPath();
      pen.moveTo(x, top);
      pen.lineTo(x + 4, bottom - 2);
      pen.lineTo(x - 4, bottom - 2);
      pen.fill();
    }
  }
}

/// Turns as two rows of bars: the small picture of a call in lists and under the timeline.
function turnStrip(run, durationMs, label) {
  const scale = 1000 / Math.max(1, durationMs);
  const whole = Math.min(1000, (viewOf(run).recording_ms || run.timing.ended_ms || durationMs) * scale);
  const track = [1, 12].map((y) => svg('rect', {class: 'strip-track', x: 0, width: whole, y, height: 9}));
  const bars = run.turns.map((turn) => svg('rect', {
    class: `strip-${turn.who}${turn.backchannel ? ' strip-soft' : ''}`, x: turn.start_ms * scale,
    width: Math.max(2, (turn.end_ms - turn.start_ms) * scale), y: turn.who === 'caller' ? 1 : 12, height: 9}));
  const overlaps = run.turns.filter((turn) => turn.interrupts && turn.overlap_ms > 0).map((turn) => svg('rect', {
    class: turn.who === 'agent' ? 'strip-fail' : 'strip-yield', x: turn.start_ms * scale,
    width: Math.max(3, turn.overlap_ms * scale), y: 1, height: 20}));
  const digits = run.dtmf.map((digit) => svg('rect', {
    class: `strip-${digit.by}`, x: digit.start_ms * scale, width: 4, y: digit.by === 'caller' ? 0 : 11, height: 11}));
  return svg('svg', {class: 'strip', viewBox: '0 0 1000 22', preserveAspectRatio: 'none', role: 'img',
                     'aria-label': label}, track, bars, overlaps, digits);
}
