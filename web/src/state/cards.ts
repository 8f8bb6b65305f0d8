import type { BodyView } from '../wire/BodyView';
import type { MessageView } from '../wire/MessageView';

/** What a chat says of money. */
export type CardBody = Extract<BodyView, { kind: 'transfer' | 'packet' | 'request' | 'paid' | 'invoice' }>;
export type CardMessage = MessageView & { body: CardBody };

/** What is open over a chat: a form, or what stands behind a card. `pay`: at once to the payment. */
export type Desk = { what: 'transfer' | 'packet' | 'request' | 'split' } | { what: 'card'; message: CardMessage; pay?: boolean };

export function isCard(message: MessageView): message is CardMessage {
  return !['text', 'unknown', 'system'].includes(message.body.kind);
}

/** So many of those who are asked stand on the card itself; if there is one more, it stands there too. */
export const PARTS_SHOWN = 3;

/** Whether it has to be said who is asked for what: not where one is asked for all. */
export function listed(body: Extract<CardBody, { kind: 'request' }>): boolean {
  return body.parts.length > 1 || body.parts[0]?.amount !== body.total;
}

export function partsShown(count: number): number {
  return count <= PARTS_SHOWN + 1 ? count : PARTS_SHOWN;
}

/** How high a card is, in rem: known before it is drawn, so that nothing moves when it is. */
export function cardHeight(body: CardBody, me: string | undefined): number {
  switch (body.kind) {
    case 'transfer':
    case 'invoice':
      return 6;
    case 'packet':
      return 6.75;
    case 'paid':
      return 2.75;
    case 'request': {
      const rows = listed(body) ? partsShown(body.parts.length) + (body.parts.length > PARTS_SHOWN + 1 ? 1 : 0) : 0;
      const mine = body.parts.some((part) => part.person.user === me);
      return 4 + (rows > 0 ? rows * 1.75 + 0.75 : 0) + (mine ? 3 : 0) + 2.25;
    }
  }
}
