// SPDX-License-Identifier: GPL-3.0-or-later
// The timeline as something to use: play, seek, zoom, scroll, point at.

const SHORTEST_VIEW_MS = 60;

class Timeline {
  constructor(run) {
    this.run = run;
    this.sound = new Sound(run);
    const ends = [this.sound.durationMs, run.timing.ended_ms || 0, ...run.turns.map((turn) => turn.end_ms)];
    this.duration = Math.max(1000, ...ends);
    this.from = 0;
    this.to = this.duration;
    this.painter = new TimelinePainter(run, this.sound);
    this.player = new Player(this.sound, (ms) => this.moved(ms), () => this.stateChanged());
    this.element = this.build();
    this.observer = new ResizeObserver(() => this.repaint());
    this.observer.observe(this.stage);
  }

  build() {
    this.canvas = h('canvas', {class: 'wave', 'aria-hidden': 'true'});
    this.playhead = h('div', {class: 'playhead', 'aria-hidden': 'true'});
    this.pointer = h('div', {class: 'pointer', 'aria-hidden': 'true'});
    this.tip = h('div', {class: 'tip', role: 'status'});
    this.stage = h('div', {
      class: 'stage', tabindex: '0', role: 'slider', 'aria-label': 'Position in the call', 'aria-valuemin': 0,
      'aria-valuemax': Math.round(this.duration), 'aria-valuenow': 0, 'aria-valuetext': clock(0),
      onpointerdown: (event) => this.grab(event), onpointermove: (event) => this.drag(event),
      onpointerup: (event) => this.release(event), onpointerleave: () => this.unpoint(),
      onkeydown: (event) => this.key(event),
    }, this.canvas, h('div', {class: 'side side-caller'}, 'Caller'), h('div', {class: 'side side-agent'}, 'Agent'),
      this.pointer, this.playhead, this.tip);
    this.stage.addEventListener('wheel', (event) => this.wheel(event), {passive: false});
    this.map = this.buildMap();
    return h('div', {class: 'timeline'}, this.toolbar(), this.stage, this.map, this.legend());
  }

  toolbar() {
    const button = (name, label, action) =>
      h('button', {type: 'button', class: 'tool', title: label, 'aria-label': label, onclick: action}, icon(name));
    this.playButton = button('play', 'Play (space)', () => this.player.toggle());
    this.playButton.classList.add('tool-play');
    this.playButton.disabled = !this.player.element;
    this.clockText = h('span', {class: 'clock'}, `${clock(0)} / ${clock(this.duration)}`);
    const rate = h('select', {'aria-label': 'Speed', onchange: () => this.player.rate(Number(rate.value))},
      ['0.5', '1', '1.5', '2'].map((value) => h('option', {value, selected: value === '1'}, `${value}\u00d7`)));
    const channels = h('div', {class: 'segmented', role: 'group', 'aria-label': 'Listen to'},
      [['both', 'Both'], ['caller', 'Caller'], ['agent', 'Agent']].map(([key, label]) =>
        h('button', {type: 'button', 'aria-pressed': String(key === 'both'), 'data-channel': key,
                     onclick: () => {
                       this.player.listenTo(key);
                       for (const other of channels.children) {
                         other.setAttribute('aria-pressed', String(other.dataset.channel === key));
                       }
                     }}, label)));
    const embedded = this.sound.view.audio === 'embedded';
    this.soundNote = h('span', {class: 'note'});
    if (!this.player.element) this.soundNote.textContent = 'No recording to play.';
    return h('div', {class: 'toolbar'}, this.playButton, this.clockText,
      this.player.element ? rate : null, embedded ? channels : null, this.soundNote, h('span', {class: 'push'}),
      button('minus', 'Zoom out (-)', () => this.zoom(2)), button('plus', 'Zoom in (+)', () => this.zoom(0.5)),
      button('fit', 'Whole call (0)', () => this.show(0, this.duration)));
  }

  buildMap() {
    this.window = h('div', {class: 'window'});
    const map = h('div', {class: 'map', 'aria-hidden': 'true'},
      turnStrip(this.run, this.duration, 'The whole call'), this.window);
    const move = (event) => {
      const box = map.getBoundingClientRect();
      const center = (event.clientX - box.left) / box.width * this.duration;
      const half = (this.to - this.from) / 2;
      this.show(center - half, center + half);
    };
    map.addEventListener('pointerdown', (event) => { map.setPointerCapture(event.pointerId); move(event); });
    map.addEventListener('pointermove', (event) => { if (map.hasPointerCapture(event.pointerId)) move(event); });
    return map;
  }

  legend() {
    const item = (name, label) => h('li', {}, h('span', {class: `key key-${name}`}), label);
    const late = this.run.engine.late_tick_ms.length > 0;
    return h('div', {class: 'legend'},
      h('ul', {}, item('caller', 'caller (left)'), item('agent', 'agent (right)'), item('latency', 'latency'),
        item('cut', 'agent cuts in'), item('barge', 'caller cuts in'), late ? item('late', 'late packet of ours') : null),
      h('p', {class: 'note keys'}, 'click seeks \u00b7 drag scrolls \u00b7 ctrl + wheel zooms \u00b7 \u2190 \u2192 step \u00b7 ' +
        '[ ] turn by turn \u00b7 space plays'));
  }

  repaint() {
    const width = this.stage.clientWidth;
    if (width < 10) return;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${TIMELINE_HEIGHT}px`;
    this.painter.paint(this.canvas, width, this.from, this.to);
    this.window.style.left = `${this.from / this.duration * 100}%`;
    this.window.style.width = `${(this.to - this.from) / this.duration * 100}%`;
    this.map.classList.toggle('map-whole', this.to - this.from > this.duration * 0.999);
    this.place(this.playhead, this.player.now());
  }

  place(line, ms) {
    const share = (ms - this.from) / (this.to - this.from);
    line.style.transform = `translateX(${share * this.stage.clientWidth}px)`;
    line.style.visibility = share >= 0 && share <= 1 ? 'visible' : 'hidden';
  }

  show(from, to) {
    const span = Math.max(SHORTEST_VIEW_MS, Math.min(to - from, this.duration));
    this.from = Math.max(0, Math.min(from, this.duration - span));
    this.to = this.from + span;
    this.repaint();
  }

  zoom(factor, around) {
    const now = this.player.now();
    const shown = now >= this.from && now <= this.to ? now : (this.from + this.to) / 2;
    const center = around === undefined ? shown : around;
    this.show(center - (center - this.from) * factor, center + (this.to - center) * factor);
  }

  moved(ms) {
    this.clockText.textContent = `${clock(ms)} / ${clock(this.duration)}`;
    this.stage.setAttribute('aria-valuenow', Math.round(ms));
    this.stage.setAttribute('aria-valuetext', clock(ms));
    if (this.player.playing() && (ms > this.to || ms < this.from)) this.show(ms, ms + this.to - this.from);
    this.place(this.playhead, ms);
    if (this.onmove) this.onmove(ms);
  }

  stateChanged() {
    const playing = this.player.playing();
    this.playButton.replaceChildren(icon(playing ? 'pause' : 'play'));
    if (this.player.broken()) this.soundNote.textContent = 'The recording can\u2019t be played from where this file lies.';
  }

  seek(ms, reveal) {
    this.player.seek(ms);
    if (reveal && (ms < this.from || ms > this.to)) this.show(ms - (this.to - this.from) / 3, ms + (this.to - this.from) * 2 / 3);
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return this.from + (event.clientX - box.left) / box.width * (this.to - this.from);
  }

  grab(event) {
    if (event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.grabbed = {x: event.clientX, from: this.from, to: this.to, moved: false};
  }

  drag(event) {
    this.pointAt(event);
    if (!this.grabbed) return;
    const shift = event.clientX - this.grabbed.x;
    if (Math.abs(shift) > 4) this.grabbed.moved = true;
    if (!this.grabbed.moved) return;
    const ms = shift / this.stage.clientWidth * (this.grabbed.to - this.grabbed.from);
    this.show(this.grabbed.from - ms, this.grabbed.to - ms);
  }

  release(event) {
    if (this.grabbed && !this.grabbed.moved) this.seek(this.at(event));
    this.grabbed = null;
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.002), this.at(event));
    } else if (event.deltaX !== 0 || event.shiftKey) {
      event.preventDefault();
      const ms = (event.deltaX || event.deltaY) / this.stage.clientWidth * (this.to - this.from);
      this.show(this.from + ms, this.to + ms);
    }
  }

  unpoint() {
    this.pointer.style.visibility = 'hidden';
    this.tip.style.visibility = 'hidden';
  }

  pointAt(event) {
    const ms = this.at(event);
    const box = this.stage.getBoundingClientRect();
    this.place(this.pointer, ms);
    const words = this.describe(ms, event.clientY - box.top);
    this.tip.textContent = words;
    this.tip.style.visibility = 'visible';
    const x = event.clientX - box.left;
    this.tip.classList.toggle('tip-left', x > box.width * 0.6);
    const y = event.clientY - box.top;
    const below = y + 14 + this.tip.offsetHeight <= TIMELINE_HEIGHT;
    this.tip.style.transform = `translate(${x}px, ${below ? y + 14 : Math.max(0, y - 10 - this.tip.offsetHeight)}px)`;
  }

  /// What is under the pointer, in words.
  describe(ms, y) {
    const near = 5 / this.stage.clientWidth * (this.to - this.from);
    const lines = [clock(ms, 3)];
    if (y < LANES.caller[0]) {
      for (const event of this.run.timeline) {
        if (Math.abs(event.t_ms - ms) <= near) lines.push(`${event.what.replace(/_/g, ' ')}${event.detail ? `: ${event.detail}` : ''}`);
      }
      for (const message of this.run.sip) {
        if (Math.abs(message.t_ms - ms) <= near) lines.push(`${message.direction}: ${message.start_line}`);
      }
      return lines.slice(0, 8).join('\n');
    }
    const side = y < (LANES.between[0] + LANES.between[1]) / 2 ? 'caller' : 'agent';
    const turn = this.run.turns.find((one) => one.who === side && one.start_ms <= ms && one.end_ms >= ms);
    if (turn) lines.push(...turnLines(turn));
    for (const digit of this.run.dtmf) {
      if (Math.abs(digit.start_ms - ms) <= near + digit.duration_ms) {
        lines.push(`key ${digit.digit} by the ${digit.by}, ${digit.duration_ms ? quantity(digit.duration_ms, 'ms') : 'no length said'}, ${[digit.transport, ...(digit.also || [])].join(' and ')}`);
      }
    }
    for (const tone of this.run.tones || []) {
      if (side === 'agent' && tone.start_ms <= ms && tone.end_ms >= ms) lines.push(toneText(tone));
    }
    return lines.join('\n');
  }

  key(event) {
    const now = this.player.now();
    const step = event.shiftKey ? 100 : 1000;
    const starts = this.run.turns.map((turn) => turn.start_ms).sort((a, b) => a - b);
    const actions = {
      ArrowLeft: () => this.seek(now - step, true), ArrowRight: () => this.seek(now + step, true),
      Home: () => this.seek(0, true), End: () => this.seek(this.duration, true),
      '+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2),
      0: () => this.show(0, this.duration), ' ': () => this.player.toggle(),
      ']': () => this.seek(starts.find((ms) => ms > now + 1) ?? now, true),
      '[': () => this.seek(starts.filter((ms) => ms < now - 1).pop() ?? 0, true),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  close() {
    this.observer.disconnect();
    this.player.close();
  }
}

function turnLines(turn) {
  const lines = [`${turn.who}${turn.backchannel ? ' backchannel' : ' turn'} ${clock(turn.start_ms, 3)} to ${clock(turn.end_ms, 3)}` +
    (turn.uncertainty_ms > 0 ? ` (\u00b1${quantity(turn.uncertainty_ms, 'ms')})` : '')];
  if (isNumber(turn.latency_ms)) lines.push(`latency ${quantity(turn.latency_ms, 'ms')}`);
  if (isNumber(turn.overlap_ms) && turn.overlap_ms > 0) {
    lines.push(`${turn.interrupts ? 'interrupts, ' : ''}${quantity(turn.overlap_ms, 'ms')} together`);
  }
  if (isNumber(turn.yielded_after_ms)) lines.push(`the agent stopped after ${quantity(turn.yielded_after_ms, 'ms')}`);
  if (turn.touched_by_late_tick) lines.push('a late packet of ours touched this turn');
  return lines;
}
