import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallName, CallOf } from '../../../engine/calls';
import { chat, contact, fail, FakeEngine, group, ME, member, message } from '../../../engine/fake';
import { FakePackets } from '../../../engine/fake-packets';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import type { CardMessage } from '../../../state/cards';
import { contacts } from '../../../state/contacts.svelte';
import { useEngine } from '../../../state/engine';
import { groups } from '../../../state/groups.svelte';
import { notices } from '../../../state/notices.svelte';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { BodyView } from '../../../wire/BodyView';
import type { MessageView } from '../../../wire/MessageView';
import MoneyButton from './MoneyButton.svelte';
import MoneyCard from './MoneyCard.svelte';
import MoneyDesk from './MoneyDesk.svelte';

const BOB = 'bob@home.example';
const CAROL = 'carol@home.example';
const direct = chat(BOB, 'Bob');
const choir = group('g', 'Choir', { members: 3 });
const people = [member(ME, 'Alice', { role: 'owner' }), member(BOB, 'Bob'), member(CAROL, 'Carol', { state: null })];

let bank: FakeBank;
let packets: FakePackets;
let fake: FakeEngine;
beforeEach(async () => {
  // No browser here: dialogs are drawn where they stand.
  HTMLDialogElement.prototype.showModal = function () {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = vi.fn();
  groups.clear();
  wallet.clear();
  notices.toasts = [];
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  for (const user of [ME, BOB, CAROL]) bank.move({ id: `to ${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
  packets = new FakePackets(bank);
  fake = answerWallet(new FakeEngine(), bank, { packets }).on('contacts', () => [contact(BOB, 'Bob')]).on('open_chat', () => direct).on('send_text', ({ text }) => message('sent', 99, { mine: true, text }));
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  groups.heard({ event: 'group', value: { chat: 'g', name: 'Choir', node: 'home.example', role: 'owner', state: 'active', members: people, asking: [], unsure: null } });
  await Promise.all([contacts.load(), wallet.load()]);
});
afterEach(cleanup);

const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name }));
const type = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const enterPin = async (pin = PIN): Promise<boolean> => fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: pin } });
const called = <N extends CallName>(name: N): CallOf<N>[] => fake.calls.filter((call): call is CallOf<N> => call.call === name);
const choose = (name: string): Promise<boolean> => fireEvent.click(screen.getByRole('radio', { name }));
const isOff = (name: string): boolean => (screen.getByRole('button', { name }) as HTMLButtonElement).disabled;

/** A card that came in a chat. */
function card(id: string, sender: string, body: BodyView, where = choir.chat): CardMessage {
  bank.cards.set(`${where}/${id}`, body);
  return { ...message(id, 1, { sender, mine: sender === ME, sender_name: sender === ME ? null : bank.person(sender).name, body }), body } as CardMessage;
}

const packet = (id: string): BodyView => ({ kind: 'packet', packet: id, greeting: 'For you all', cover: 0, only: null });

describe('sending money', () => {
  it('takes an amount and the PIN, is held for the other, and is asked for under one id however often the PIN is wrong', async () => {
    const onclose = vi.fn();
    render(MoneyDesk, { chat: direct, desk: { what: 'transfer' }, onclose });
    await press('Continue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    expect(screen.getByRole('alert').textContent).toBe('Enter an amount.');
    await type('Amount', '12.34');
    await type('What for (optional)', ' lunch ');
    await press('Continue');
    expect(screen.getByText('bob@home.example')).toBeDefined();
    await enterPin('111111');
    await screen.findByText('This is not your payment PIN.');
    expect(onclose).not.toHaveBeenCalled();
    await enterPin();
    await waitFor(() => expect(onclose).toHaveBeenCalled());
    const [first, second, ...more] = called('pay');
    expect(more).toEqual([]);
    expect(second).toEqual({ ...first, pin: PIN });
    expect(second).toMatchObject({ user: BOB, asset: 'eur', amount: '1234', note: 'lunch', hold: true, chat: direct.chat, request: null, refunds: null });
    expect(bank.held(ME, 'eur', 'from')).toBe(1_234n);
  });

  it('goes over without a card where there is no chat to put it in', async () => {
    fake.on('open_chat', () => {
      throw fail('unknown_user');
    });
    const onclose = vi.fn();
    render(MoneyDesk, { chat: direct, desk: { what: 'transfer' }, onclose });
    await type('Amount', '1');
    await press('Continue');
    await enterPin();
    await waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(called('pay').at(-1)).toMatchObject({ user: BOB, amount: '100', chat: null });
    expect(notices.toasts).toEqual([]);
  });

  it('says so where what it is for could not go with it', async () => {
    fake.on('open_chat', () => {
      throw fail('unknown_user');
    });
    const onclose = vi.fn();
    render(MoneyDesk, { chat: direct, desk: { what: 'transfer' }, onclose });
    await type('Amount', '1');
    await type('What for (optional)', 'lunch');
    await press('Continue');
    await enterPin();
    await waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(notices.toasts.map((one) => one.text)).toEqual(['The money went out, but not what it is for: there is no chat with Bob to put that in.']);
  });

  it('says nothing of that where it went with it', async () => {
    const onclose = vi.fn();
    render(MoneyDesk, { chat: direct, desk: { what: 'transfer' }, onclose });
    await type('Amount', '1');
    await type('What for (optional)', 'lunch');
    await press('Continue');
    await enterPin();
    await waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(notices.toasts).toEqual([]);
  });

  it('goes nowhere with more than there is', async () => {
    render(MoneyDesk, { chat: direct, desk: { what: 'transfer' }, onclose: vi.fn() });
    await type('Amount', '100.01');
    await press('Continue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    await type('Amount', '100');
    await type('What for (optional)', '钱'.repeat(86));
    await press('Continue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('What for (optional)')));
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
    await type('What for (optional)', '钱');
    await press('Continue');
    expect(screen.getByLabelText('Payment PIN')).toBeTruthy();
  });

  it('says so where there is no money', async () => {
    wallet.clear();
    answerWallet(fake, new FakeBank().define(EUR, { title: 'Euro' }));
    await wallet.load();
    render(MoneyDesk, { chat: direct, desk: { what: 'packet' }, onclose: vi.fn() });
    expect(screen.getByText('You have no money here yet')).toBeDefined();
  });
});

describe('a red packet that is given', () => {
  const open = (where = choir) => render(MoneyDesk, { chat: where, desk: { what: 'packet' }, onclose: vi.fn() });

  it('is for the others of a group by luck, if nobody says otherwise', async () => {
    open();
    await type('Total', '10');
    await press('Give');
    await enterPin();
    await waitFor(() => expect(called('send_packet')).toHaveLength(1));
    expect(called('send_packet')[0]).toMatchObject({ chat: 'g', asset: 'eur', amount: '1000', shares: 2, lucky: true, only: null, greeting: 'Best wishes!', cover: 0 });
  });

  it('adds up where each gets the same, and does not go over what there is', async () => {
    open();
    await choose('Equal');
    await type('For each', '3.50');
    await type('Number of shares', '4');
    await fireEvent.click(screen.getByRole('radio', { name: 'Lanterns' }));
    expect(screen.getByText('14.00 EUR', { normalizer: (text) => text.replaceAll('\u00a0', ' ') })).toBeDefined();
    await type('Number of shares', '40');
    expect(isOff('Give')).toBe(true);
    await type('Number of shares', '4');
    await press('Give');
    await enterPin();
    await waitFor(() => expect(called('send_packet')[0]).toMatchObject({ amount: '1400', shares: 4, lucky: false, only: null, cover: 3 }));
  });

  it('is all together no more than one payment may be', async () => {
    bank.define(EUR, { payment_max: '5000' });
    await wallet.load();
    open();
    await choose('Equal');
    await type('For each', '30');
    await type('Number of shares', '2');
    expect(screen.getByRole('alert').textContent).toMatch(/One payment may be 50\.00.EUR at most/);
    expect(isOff('Give')).toBe(true);
    await type('For each', '25');
    expect(isOff('Give')).toBe(false);
  });

  it('has something for everybody', async () => {
    open();
    await type('Total', '0.02');
    await type('Number of shares', '3');
    expect(isOff('Give')).toBe(true);
    expect(screen.getByRole('alert').textContent).toContain('not enough for 3 shares');
    for (const count of ['0', '501', 'x', '']) {
      await type('Number of shares', count);
      expect(isOff('Give'), count).toBe(true);
    }
    await type('Number of shares', '2');
    expect(isOff('Give')).toBe(false);
  });

  it('is for one of them, or in a direct chat for the other', async () => {
    open();
    await choose('For one');
    await type('Amount', '1');
    await fireEvent.change(screen.getByLabelText('Who may open it'), { target: { value: CAROL } });
    await press('Give');
    await enterPin();
    await waitFor(() => expect(called('send_packet')[0]).toMatchObject({ shares: 1, lucky: false, only: CAROL }));
    cleanup();
    open(direct);
    expect(screen.queryByLabelText('Number of shares')).toBeNull();
    await type('Amount', '1');
    await press('Give');
    await enterPin();
    await waitFor(() => expect(called('send_packet')[1]).toMatchObject({ chat: direct.chat, shares: 1, lucky: false, only: null }));
  });
});

describe('a red packet that is opened', () => {
  const open = (given: CardMessage) => render(MoneyDesk, { chat: choir, desk: { what: 'card', message: given }, onclose: vi.fn() });

  it('shows what one got, and who had the best luck once all is taken', async () => {
    packets.give({ id: 'p', maker: BOB, asset: 'eur', total: 1_000n, shares: 2 });
    packets.open('p', CAROL);
    open(card('m', BOB, packet('p')));
    await screen.findByText('A red packet from Bob');
    expect(screen.queryByText('Carol Lindqvist')).toBeNull();
    await fireEvent.click(await screen.findByRole('button', { name: 'Open' }));
    await screen.findByText('It is in your wallet.');
    expect(screen.getByText('2 of 2 opened')).toBeDefined();
    expect(screen.getByText('Best luck')).toBeDefined();
    expect(screen.getByText(/Fair draw, verified/)).toBeDefined();
    expect(called('open_packet')).toEqual([{ call: 'open_packet', chat: 'g', id: 'm' }]);
  });

  it('is called out when it is not what was promised', async () => {
    packets.give({ id: 'p', maker: BOB, asset: 'eur', total: 1_000n, shares: 1, fair: false });
    packets.open('p', CAROL);
    open(card('m', BOB, packet('p')));
    await screen.findByText(/Not as promised/);
    expect(screen.getByText('All shares were taken before you.')).toBeDefined();
  });

  it('shows who else opens it, though the node tells nobody', async () => {
    packets.give({ id: 'p', maker: ME, asset: 'eur', total: 1_000n, shares: 3 });
    open(card('m', ME, packet('p')));
    await fireEvent.click(await screen.findByRole('button', { name: 'See who opened it' }));
    await screen.findByText('Nobody has opened it yet.');
    packets.open('p', CAROL);
    await screen.findByText('1 of 3 opened', {}, { timeout: 5_000 });
  });

  it('that was emptied meanwhile says so', async () => {
    packets.give({ id: 'p', maker: BOB, asset: 'eur', total: 1_000n, shares: 1 });
    open(card('m', BOB, packet('p')));
    const seal = await screen.findByRole('button', { name: 'Open' });
    packets.open('p', CAROL);
    await fireEvent.click(seal);
    await screen.findByText('All shares were taken before you.');
  });

  it('has the cover that whoever gave it chose, on its card and where it is opened', async () => {
    packets.give({ id: 'p', maker: BOB, asset: 'eur', total: 1_000n, shares: 2 });
    const given = card('m', BOB, { kind: 'packet', packet: 'p', greeting: 'For you all', cover: 3, only: null });
    const { container, unmount } = render(MoneyCard, { chat: choir, message: given, onopen: vi.fn() });
    expect([...container.querySelectorAll('svg.cover')].map((cover) => cover.classList.contains('c3'))).toEqual([true]);
    unmount();
    open(given);
    await screen.findByText('A red packet from Bob');
    expect([...document.querySelectorAll('svg.cover')].map((cover) => cover.classList.contains('c3'))).toEqual([true]);
  });

  it('is asked about when it was sent, not before: until then the engine knows no such card', async () => {
    packets.give({ id: 'p', maker: ME, asset: 'eur', total: 1_000n, shares: 3 });
    const sending: CardMessage = { ...card('m', ME, packet('p')), delivery: 'sending' };
    const { container, rerender } = render(MoneyCard, { chat: choir, message: sending, onopen: vi.fn() });
    expect(container.querySelector('[data-state=checking]')).not.toBeNull();
    expect(called('packet')).toEqual([]);
    await rerender({ message: { ...sending, delivery: 'sent' } });
    await waitFor(() => expect(container.querySelector('[data-state=sealed]')).not.toBeNull());
  });

  it('for somebody else has no seal', async () => {
    packets.give({ id: 'p', maker: BOB, asset: 'eur', total: 5n, shares: 1, lucky: false, only: CAROL });
    open(card('m', BOB, packet('p')));
    await screen.findByText('This red packet is for Carol Lindqvist alone.');
    expect(screen.queryByRole('button', { name: 'Open' })).toBeNull();
  });
});

describe('a bill', () => {
  const parts = () => called('ask_money')[0]?.parts;

  it('is split equally, the odd units to the first', async () => {
    render(MoneyDesk, { chat: choir, desk: { what: 'split' }, onclose: vi.fn() });
    await type('The whole bill', '1.00');
    await press('Ask');
    await waitFor(() => expect(called('ask_money')[0]).toMatchObject({ chat: 'g', asset: 'eur', total: '100' }));
    expect(parts()).toEqual([[BOB, '33'], [CAROL, '33']]);
  });

  it('may be more than one payment, of which no part may be', async () => {
    bank.define(EUR, { payment_max: '5000' });
    await wallet.load();
    render(MoneyDesk, { chat: choir, desk: { what: 'split' }, onclose: vi.fn() });
    await type('The whole bill', '150.03');
    expect(screen.getByText(/One payment may be 50\.00.EUR at most/)).toBeDefined();
    expect(isOff('Ask')).toBe(true);
    await type('The whole bill', '150');
    await press('Ask');
    await waitFor(() => expect(parts()).toEqual([[BOB, '5000'], [CAROL, '5000']]));
  });

  it('is split by shares among those who take part', async () => {
    render(MoneyDesk, { chat: choir, desk: { what: 'split' }, onclose: vi.fn() });
    await type('The whole bill', '9');
    await choose('By shares');
    await press('More shares for Bob');
    await fireEvent.click(screen.getByRole('checkbox', { name: 'Carol' }));
    await press('Ask');
    await waitFor(() => expect(parts()).toEqual([[BOB, '600']]));
  });

  it('is split by amounts that have to be the bill', async () => {
    render(MoneyDesk, { chat: choir, desk: { what: 'split' }, onclose: vi.fn() });
    await type('The whole bill', '30');
    await choose('Amounts');
    await type('Amount of Bob', '4');
    expect(screen.getByText(/6\.00.EUR of the bill is not given to anybody yet/)).toBeDefined();
    expect(isOff('Ask')).toBe(true);
    await type('Amount of You', '16');
    await press('Ask');
    await waitFor(() => expect(parts()).toEqual([[BOB, '400'], [CAROL, '1000']]));
  });

  it('keeps what was typed when it cannot be asked for', async () => {
    fake.on('ask_money', () => {
      throw fail('offline');
    });
    const onclose = vi.fn();
    render(MoneyDesk, { chat: direct, desk: { what: 'request' }, onclose });
    await type('Amount', '5');
    await press('Ask');
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached'));
    expect((screen.getByLabelText('Amount') as HTMLInputElement).value).toBe('5');
    expect(onclose).not.toHaveBeenCalled();
  });
});

describe('the card of a bill', () => {
  const asks = (sender: string, who: string[]): CardMessage => card('bill', sender, { kind: 'request', request: 'r', asset: EUR, parts: who.map((user) => ({ person: bank.person(user), amount: '1000', paid: null })), total: '3000', note: 'Pizza' });
  const pay = () => bank.move({ id: 'paid', purpose: 'payment', asset: 'eur', from: BOB, to: ME, amount: 1_000n, request: 'r' });

  it('has a tick for whoever has paid, as soon as the node says so', async () => {
    const { container } = render(MoneyCard, { chat: choir, message: asks(ME, [BOB, CAROL]), onopen: vi.fn() });
    await screen.findByText('0 of 2 paid');
    expect(container.querySelectorAll('li.paid')).toHaveLength(0);
    pay();
    fake.emit({ event: 'wallet' });
    await screen.findByText('1 of 2 paid');
    expect(container.querySelector('li.paid')?.textContent).toContain('Bob');
  });

  it('has one too where somebody says in the chat that they have paid another', async () => {
    render(MoneyCard, { chat: choir, message: asks(CAROL, [BOB]), onopen: vi.fn() });
    await screen.findByText('Not paid yet');
    bank.move({ id: 'paid', purpose: 'payment', asset: 'eur', from: BOB, to: CAROL, amount: 1_000n, request: 'r' });
    fake.emit({ event: 'messages', value: { chat: 'g', messages: [card('said', BOB, { kind: 'paid', request: 'r', transfer: 'paid', asset: EUR, amount: '1000' })] } });
    await screen.findByText('Paid');
  });

  it('lets whoever is asked pay their part, once', async () => {
    const onopen = vi.fn();
    const bill = asks(BOB, [ME, CAROL]);
    render(MoneyCard, { chat: choir, message: bill, onopen });
    await screen.findByText('0 of 2 paid');
    await press(/^Pay 10\.00/);
    expect(onopen).toHaveBeenCalledWith({ what: 'card', message: bill, pay: true });
    render(MoneyDesk, { chat: choir, desk: { what: 'card', message: bill, pay: true }, onclose: vi.fn() });
    await enterPin();
    await waitFor(() => expect(called('pay')[0]).toMatchObject({ user: BOB, amount: '1000', hold: false, chat: 'g', request: 'r' }));
    await screen.findByText('You have paid');
  });

  it('counts the fee before anybody is asked for the PIN', async () => {
    bank.define(EUR, { title: 'Euro', fees: [['person', '10', '0', '0', '0']] });
    bank.move({ id: 'gone', purpose: 'payment', asset: 'eur', from: ME, to: CAROL, amount: 8_995n });
    const bill = asks(BOB, [ME, CAROL]);
    await wallet.load();
    render(MoneyCard, { chat: choir, message: bill, onopen: vi.fn() });
    await screen.findByText('0 of 2 paid');
    cleanup();
    render(MoneyDesk, { chat: choir, desk: { what: 'card', message: bill, pay: true }, onclose: vi.fn() });
    expect(screen.getByText(/Fee 0\.10.*10\.10.* in all/)).toBeTruthy();
    expect(screen.getByText(/10\.05/)).toBeTruthy();
    expect([screen.getByRole<HTMLButtonElement>('button', { name: /^Pay 10\.00/ }).disabled, screen.queryByLabelText('Payment PIN')]).toEqual([true, null]);
    bank.move({ id: 'more', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 5n });
    await wallet.load();
    await waitFor(() => expect(screen.getByRole<HTMLButtonElement>('button', { name: /^Pay 10\.00/ }).disabled).toBe(false));
  });

  it('says before the PIN that a part is more than one payment may be', async () => {
    bank.define(EUR, { payment_max: '999' });
    const bill = asks(BOB, [ME, CAROL]);
    await wallet.load();
    render(MoneyCard, { chat: choir, message: bill, onopen: vi.fn() });
    await screen.findByText('0 of 2 paid');
    cleanup();
    render(MoneyDesk, { chat: choir, desk: { what: 'card', message: bill, pay: true }, onclose: vi.fn() });
    expect(screen.getByText(/One payment may be 9\.99.EUR at most/)).toBeTruthy();
    expect([screen.getByRole<HTMLButtonElement>('button', { name: /^Pay 10\.00/ }).disabled, screen.queryByLabelText('Payment PIN')]).toEqual([true, null]);
  });

  it('is only looked at by others', async () => {
    render(MoneyCard, { chat: choir, message: asks(BOB, [CAROL]), onopen: vi.fn() });
    await screen.findByText('Not paid yet');
    expect(screen.queryByRole('button', { name: /^Pay/ })).toBeNull();
  });

  it('lets the one who asks remind each who has not paid, in the chat', async () => {
    pay();
    render(MoneyDesk, { chat: choir, desk: { what: 'card', message: asks(ME, [BOB, CAROL]) }, onclose: vi.fn() });
    await fireEvent.click(await screen.findByRole('button', { name: 'Remind' }));
    await waitFor(() => expect(called('send_text')).toHaveLength(1));
    expect(called('send_text')[0]).toMatchObject({ chat: 'g', reply_to: 'bill' });
    expect(called('send_text')[0]?.text.replaceAll('\u00a0', ' ')).toBe('@Carol Lindqvist A reminder: 10.00 EUR for “Pizza”');
    expect(isOff('Reminded')).toBe(true);
  });

  it('does not remind anybody twice in a day, from whatever device', async () => {
    const bill = asks(ME, [BOB, CAROL]);
    const said = (id: string, text: string, part: Partial<MessageView>) => message(id, 5, { mine: true, body: { kind: 'text', text }, reply_to: { id: 'bill', sender: ME, excerpt: '' }, time_ms: Date.now(), ...part });
    const messages = [said('a', '@Bob A reminder: 10.00 EUR', { time_ms: Date.now() - 2 * 86_400_000 }), said('b', '@Carol Lindqvist A reminder: 10.00 EUR', {}), said('c', '@Bob hello', { reply_to: null })];
    fake.on('messages', () => ({ chat: 'g', messages, more: false }));
    render(MoneyDesk, { chat: choir, desk: { what: 'card', message: bill }, onclose: vi.fn() });
    await waitFor(() => expect(isOff('Reminded')).toBe(true));
    expect(isOff('Remind')).toBe(false);
  });
});

describe('the card of a transfer', () => {
  const body: BodyView = { kind: 'transfer', transfer: 't', asset: EUR, amount: '250', note: '' };
  const hold = (amount = 250n) => bank.move({ id: 't', purpose: 'transfer', asset: 'eur', from: BOB, to: ME, amount, state: 'held', until_ms: Date.now() + 1e7 });

  it('is accepted by whoever it is for', async () => {
    hold();
    const given = card('m', BOB, body, direct.chat);
    render(MoneyCard, { chat: direct, message: given, onopen: vi.fn() });
    await screen.findByText('Waiting for you to accept');
    render(MoneyDesk, { chat: direct, desk: { what: 'card', message: given }, onclose: vi.fn() });
    await press('Accept');
    await waitFor(() => expect(screen.getAllByText('You have received it')).toHaveLength(2));
    expect(bank.balance(ME, 'eur')).toBe(10_250n);
  });

  it('is given back only after a second question', async () => {
    hold();
    render(MoneyDesk, { chat: direct, desk: { what: 'card', message: card('m', BOB, body, direct.chat) }, onclose: vi.fn() });
    await screen.findByText('Waiting for you to accept');
    await press('Give back');
    expect(called('answer_transfer')).toEqual([]);
    await press('Give back');
    await screen.findByText('Given back');
    expect(bank.entry('t').state).toBe('returned');
  });

  it('that says more than the node is called out, and offers nothing', async () => {
    hold(1n);
    render(MoneyDesk, { chat: direct, desk: { what: 'card', message: card('m', BOB, body, direct.chat) }, onclose: vi.fn() });
    await screen.findByText(/This card says 2\.50.EUR\. The server says 0\.01.EUR/);
    expect(screen.queryByRole('button', { name: 'Accept' })).toBeNull();
  });
});

describe('what is offered beside the field', () => {
  const composer = (where = direct) => render(MoneyButton, { chat: where, onopen: vi.fn() });
  beforeEach(() => (HTMLElement.prototype.showPopover = vi.fn()));

  it('is what fits the chat', async () => {
    composer();
    await press('Money');
    expect(screen.getAllByRole('menuitem').map((item) => item.textContent?.trim())).toEqual(['Transfer', 'Red packet', 'Request money', 'New invoice']);
    cleanup();
    composer(choir);
    await press('Money');
    expect(screen.getAllByRole('menuitem').map((item) => item.textContent?.trim())).toEqual(['Red packet', 'Split a bill']);
  });

  it('reaches people of another server in what was agreed on with it', async () => {
    bank.links = [{ node: 'garden.example', assets: [EUR.id] }];
    await wallet.load();
    const mei = chat('mei@garden.example', 'Mei');
    composer(mei);
    await press('Money');
    expect(screen.getAllByRole('menuitem')).toHaveLength(4);
    cleanup();
    render(MoneyDesk, { chat: mei, desk: { what: 'transfer' }, onclose: vi.fn() });
    await screen.findByLabelText('Amount');
    cleanup();
    bank.links = [{ node: 'garden.example', assets: [] }];
    await wallet.load();
    render(MoneyDesk, { chat: mei, desk: { what: 'transfer' }, onclose: vi.fn() });
    expect(screen.queryByLabelText('Amount')).toBeNull();
  });

  it('comes when terms with another server come into force, and goes when they stand still', async () => {
    const mei = chat('mei@garden.example', 'Mei');
    composer(mei);
    expect(screen.queryByRole('button', { name: 'Money' })).toBeNull();
    cleanup();
    bank.links = [{ node: 'garden.example', assets: [EUR.id] }];
    composer(mei);
    await screen.findByRole('button', { name: 'Money' }, { timeout: 5_000 });
    bank.links = [];
    wallet.refresh();
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Money' })).toBeNull(), { timeout: 5_000 });
  }, 12_000);

  it('is nothing where nobody can be paid, or the node issues nothing', async () => {
    composer(chat('mei@garden.example', 'Mei'));
    expect(screen.queryByRole('button', { name: 'Money' })).toBeNull();
    cleanup();
    const together = (members: typeof people) => groups.heard({ event: 'group', value: { chat: 'g', name: 'Choir', node: 'home.example', role: 'owner', state: 'active', members, asking: [], unsure: null } });
    together([people[0]!, member('mei@garden.example', 'Mei')]);
    composer(choir);
    expect(screen.queryByRole('button', { name: 'Money' })).toBeNull();
    cleanup();
    together([...people, member('mei@garden.example', 'Mei')]);
    composer(choir);
    screen.getByRole('button', { name: 'Money' });
    cleanup();
    wallet.clear();
    answerWallet(fake, new FakeBank());
    await wallet.load();
    composer();
    expect(screen.queryByRole('button', { name: 'Money' })).toBeNull();
  });
});
