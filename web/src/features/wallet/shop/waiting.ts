/** A customer's code that was scanned before a till was open. It is good for a minute, so it outlives no page. */
class Waiting {
  code: string | null = null;

  take(): string | null {
    const { code } = this;
    this.code = null;
    return code;
  }
}

export const waiting = new Waiting();
