/** A sound where money comes in: two tones made by the browser, no file. */
const STORED = 'weft.till.mute';
const TONES: [hertz: number, from: number][] = [[784, 0], [1175, 0.14]];

class Bell {
  muted = $state(localStorage.getItem(STORED) !== null);
  #audio: AudioContext | null = null;

  mute(muted: boolean): void {
    this.muted = muted;
    if (muted) localStorage.setItem(STORED, '1');
    else localStorage.removeItem(STORED);
  }

  /** To be called when something is pressed: a browser lets no page sound before. */
  ready(): void {
    if (this.muted || !('AudioContext' in globalThis)) return;
    this.#audio ??= new AudioContext();
    void this.#audio.resume().catch(() => undefined);
  }

  ring(): void {
    const audio = this.#audio;
    if (this.muted || audio?.state !== 'running') return;
    for (const [hertz, from] of TONES) {
      const [tone, volume, at] = [audio.createOscillator(), audio.createGain(), audio.currentTime + from];
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.55);
    }
  }
}

export const bell = new Bell();
