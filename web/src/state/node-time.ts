/** The node's clock, as the engine knows it. What ends, ends by that, however the device's own clock was set. */
let ahead = 0;

/** The node's clock shows this now, ms. */
export function setNodeTime(ms: number): void {
  ahead = ms - Date.now();
}

export function nodeNow(): number {
  return onNode(Date.now());
}

/** What the node's clock shows when the device's own shows this. */
export function onNode(ms: number): number {
  return ms + ahead;
}
