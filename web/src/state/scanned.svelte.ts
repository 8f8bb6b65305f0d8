/** A code that was scanned where it does not belong: the wallet takes it from here when it is opened. */
class Scanned {
  text = $state<string | null>(null);

  take(): string | null {
    const { text } = this;
    this.text = null;
    return text;
  }
}

export const scanned = new Scanned();

/** Whether a text is about money, as its beginning says (wire/scan.rs): what a shop or a payer shows, or a proposal. */
export function isMoney(text: string): boolean {
  return /^\s*(000201|payto:\/\/|weft:pay\/)/i.test(text);
}
