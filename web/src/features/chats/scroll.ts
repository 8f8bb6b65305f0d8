/** Where a chat was left, so that it is found there again. In memory only: a reload begins at the newest. */
export interface Place {
  /** The message at the top of the window, and how much of it is above the edge. */
  id: string;
  offset: number;
}

const places = new Map<string, Place | null>();

/** `null`: it was left at the newest message. */
export function leave(chat: string, place: Place | null): void {
  places.set(chat, place);
}

export function placeOf(chat: string): Place | null {
  return places.get(chat) ?? null;
}
