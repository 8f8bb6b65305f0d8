import { waitText } from '../../../state/money-errors';

/** The time, as often as a countdown is looked at. To be made while a component is. */
export class Seconds {
  ms = $state(Date.now());

  constructor() {
    $effect(() => {
      const timer = setInterval(() => (this.ms = Date.now()), 250);
      return () => clearInterval(timer);
    });
  }

  /** How long until then, ms; 0: it is over. */
  left(until: number): number {
    return Math.max(0, until - this.ms);
  }

  /** `0:59`. */
  text(until: number): string {
    return waitText(this.left(until));
  }
}
