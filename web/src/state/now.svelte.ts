/** The time, a minute at a time: "today" and "yesterday" turn over while a page stays open. */
class Now {
  ms = $state(Date.now());

  constructor() {
    setInterval(() => (this.ms = Date.now()), 60_000);
  }
}

export const clockNow = new Now();
