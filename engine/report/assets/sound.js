// SPDX-License-Identifier: GPL-3.0-or-later
// A call's recording: its peaks, its samples once they are needed, and its playback.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/// ITU-T G.711: mu-law octet to a sample in -1..1.
const MULAW = Float32Array.from({length: 256}, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + 132 << ((bits >> 4) & 7)) - 132;
  return (bits & 0x80 ? -magnitude : magnitude) / 32768;
});

class Sound {
  constructor(run) {
    this.run = run;
    this.view = viewOf(run);
    const peaks = this.view.peaks;
    this.durationMs = this.view.recording_ms || 0;
    this.bucketMs = peaks ? peaks.bucket_ms : 0;
    this.peaks = peaks ? peaks.channels.map((text) => new Int8Array(bytesOf(text).buffer)) : [];
    this.samples = null;
  }

  /// Octets of the embedded WAV, null where it is not embedded.
  wav() {
    if (this.bytes === undefined) {
      const element = document.getElementById(`sound-${this.run.id}`);
      this.bytes = element ? bytesOf(element.textContent) : null;
    }
    return this.bytes;
  }

  /// Where the samples lie in our own WAV: {rate, channels, offset}; it has fmt, fact and data, in this order.
  layout() {
    const bytes = this.wav();
    if (!bytes || this.laidOut) return this.laidOut || null;
    const data = new DataView(bytes.buffer);
    this.laidOut = {channels: data.getUint16(22, true), rate: data.getUint32(24, true), offset: 58};
    return this.laidOut;
  }

  /// [lowest, highest] in -1..1 of a channel between two times; from the samples where peaks are too coarse.
  range(channel, fromMs, toMs) {
    let low = 0;
    let high = 0;
    const layout = toMs - fromMs < this.bucketMs * 1.5 ? this.layout() : null;
    if (layout) {
      const bytes = this.wav();
      const first = Math.max(0, Math.floor(fromMs * layout.rate / 1000));
      const last = Math.max(first + 1, Math.ceil(toMs * layout.rate / 1000));
      low = 1;
      high = -1;
      for (let frame = first; frame <= last; ++frame) {
        const at = layout.offset + frame * layout.channels + channel;
        if (at >= bytes.length) break;
        const value = MULAW[bytes[at]];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      return low > high ? [0, 0] : [low, high];
    }
    const peaks = this.peaks[channel];
    if (!peaks) return [0, 0];
    const first = Math.max(0, Math.floor(fromMs / this.bucketMs));
    const last = Math.min(peaks.length / 2 - 1, Math.max(first, Math.ceil(toMs / this.bucketMs) - 1));
    for (let bucket = first; bucket <= last; ++bucket) {
      low = Math.min(low, peaks[2 * bucket]);
      high = Math.max(high, peaks[2 * bucket + 1]);
    }
    return [low / 127, high / 127];
  }

  /// Loudest peak of both channels, so that quiet lines are drawn large enough to see.
  loudest() {
    let most = 8;
    for (const peaks of this.peaks) for (const value of peaks) most = Math.max(most, Math.abs(value));
    return most / 127;
  }
}

/// Playback with a clock in ms. `onMove` is called for each frame while it plays, and on each seek.
class Player {
  constructor(sound, onMove, onState) {
    this.sound = sound;
    this.onMove = onMove;
    this.onState = onState;
    this.fallbackMs = 0;
    this.channel = 'both';
    const url = this.address();
    this.element = url ? new Audio(url) : null;
    if (!this.element) return;
    this.element.preload = 'auto';
    for (const event of ['play', 'pause', 'ended', 'error']) {
      this.element.addEventListener(event, () => { this.onState(); this.tick(); });
    }
    this.element.addEventListener('seeked', () => this.onMove(this.now()));
  }

  address() {
    const bytes = this.sound.wav();
    if (bytes) {
      this.objectUrl = URL.createObjectURL(new Blob([bytes], {type: 'audio/wav'}));
      return this.objectUrl;
    }
    return this.sound.view.audio === 'linked' ? this.sound.run.voice_recording_url : null;
  }

  now() { return this.element && this.element.readyState > 0 ? this.element.currentTime * 1000 : this.fallbackMs; }
  playing() { return !!this.element && !this.element.paused; }
  broken() { return !!this.element && !!this.element.error; }

  seek(ms) {
    this.fallbackMs = Math.max(0, Math.min(ms, this.sound.durationMs));
    if (this.element) this.element.currentTime = this.fallbackMs / 1000;
    this.onMove(this.fallbackMs);
  }

  toggle() {
    if (!this.element) return;
    if (this.playing()) {
      this.element.pause();
      return;
    }
    const started = this.element.play();
    if (started) started.catch(() => this.onState());
  }

  rate(value) { if (this.element) this.element.playbackRate = value; }

  /// 'both' in stereo as recorded, or one side on both ears. Possible for embedded sound only: what is linked from
  /// disk has no origin, and the browser mutes it in a graph.
  listenTo(channel) {
    this.channel = channel;
    if (!this.graph) {
      const context = new AudioContext();
      const source = context.createMediaElementSource(this.element);
      const split = context.createChannelSplitter(2);
      const join = context.createChannelMerger(2);
      const gain = [0, 1].map((from) => [0, 1].map((to) => {
        const node = context.createGain();
        split.connect(node, from);
        node.connect(join, 0, to);
        return node;
      }));
      source.connect(split);
      join.connect(context.destination);
      this.graph = {context, gain};
    }
    this.graph.context.resume();
    const on = {both: [[1, 0], [0, 1]], caller: [[1, 1], [0, 0]], agent: [[0, 0], [1, 1]]}[channel];
    this.graph.gain.forEach((row, from) => row.forEach((node, to) => { node.gain.value = on[from][to]; }));
  }

  tick() {
    this.onMove(this.now());
    if (this.playing() && !this.ticking) {
      this.ticking = true;
      requestAnimationFrame(() => { this.ticking = false; this.tick(); });
    }
  }

  close() {
    if (this.element) this.element.pause();
    if (this.graph) this.graph.context.close();
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
    this.element = null;
  }
}
