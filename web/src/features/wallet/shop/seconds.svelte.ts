import { waitText } from '../../../state/money-errors';
import { nodeNow } from '../../../state/node-time';

/** The node's time, as often as a countdown is looked at. To be made while a component is. */
export class Seconds {
  ms = $state(nodeNow());

  constructor() {
    $effect(() => {
      const timer = setInterval(() => (this.ms = nodeNow()), 250);
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
