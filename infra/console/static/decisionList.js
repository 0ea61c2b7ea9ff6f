import { formatAmount, formatDateTime, formatNumber, formatTime } from './format.js';
import { currentLanguage, text } from './texts.js';

const SHOWN = 30;
const KEPT = 200;

/** The list of latest decisions. Everything from the server goes in as text, never as markup. */
export class DecisionList {
  #list;
  #empty;
  #held;
  /** By ledger offset, newest last. */
  #kept = new Map();
  #filter = 'all';
  #isPaused = false;
  #isHovered = false;
  #openOffset = null;
  #newestShown = -1;

  constructor({ list, empty, held }) {
    this.#list = list;
    this.#empty = empty;
    this.#held = held;
    // A row that moves away under the pointer cannot be clicked: the list stands still meanwhile.
    list.addEventListener('pointerenter', (event) => {
      this.#isHovered = event.pointerType === 'mouse';
    });
    list.addEventListener('pointerleave', () => {
      this.#isHovered = false;
      this.#show();
    });
  }

  clear() {
    this.#kept.clear();
    this.#openOffset = null;
    this.render();
  }

  add(decisions) {
    for (const decision of decisions) this.#kept.set(decision.ledgerOffset, decision);
    const approved = [...this.#kept.values()].filter((decision) => decision.verdict === 'approve');
    // Those not approved are few, and what one looks for: they are kept longer.
    for (const { ledgerOffset } of approved.slice(0, Math.max(0, approved.length - KEPT / 2)))
      this.#kept.delete(ledgerOffset);
    for (const offset of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - KEPT)))
      this.#kept.delete(offset);
    if (decisions.length > 0) this.#show();
  }

  setFilter(filter) {
    this.#filter = filter;
    this.render();
  }

  setPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#show();
  }

  /** Shows the newest, unless somebody is reading. */
  #show() {
    const isHeld = this.#isPaused || this.#isHovered || this.#openOffset !== null;
    if (!isHeld) {
      this.render();
      return;
    }
    const newer = this.#wanted().filter((decision) => decision.ledgerOffset > this.#newestShown).length;
    this.#held.textContent = newer === 0 ? '' : text('held', { count: newer >= KEPT / 2 ? `${KEPT / 2}+` : newer });
  }

  render() {
    const shown = this.#wanted().slice(0, SHOWN);
    this.#newestShown = shown[0]?.ledgerOffset ?? -1;
    this.#held.textContent = '';
    this.#empty.hidden = this.#kept.size > 0;
    this.#list.replaceChildren(...shown.map((decision) => this.#row(decision)));
  }

  #wanted() {
    return [...this.#kept.values()]
      .filter((decision) => this.#filter === 'all' || decision.verdict !== 'approve')
      .sort((left, right) => right.ledgerOffset - left.ledgerOffset);
  }

  #row(decision) {
    const { ledgerOffset, reasons } = decision;
    const isOpen = this.#openOffset === ledgerOffset;
    const button = element('button', 'row', [
      element('time', '', formatTime(decision.eventTimeMs)),
      element('span', `verdict ${decision.verdict}`, text(decision.verdict)),
      element('span', 'amount', formatAmount(decision.amountMinor, decision.currency)),
      element('span', 'merchant', decision.merchant ?? text(decision.channel)),
      element('span', 'reason', reasons.length === 0 ? '' : reasonText(reasons[0])),
      element('span', 'more', reasons.length > 1 ? `+${reasons.length - 1}` : ''),
    ]);
    button.type = 'button';
    button.setAttribute('aria-expanded', String(isOpen));
    const item = element('li', '', [button]);
    if (isOpen) item.append(details(decision));
    button.addEventListener('click', () => {
      this.#openOffset = isOpen ? null : ledgerOffset;
      const open = this.#row(decision);
      for (const other of this.#list.querySelectorAll('.details')) {
        other.previousElementSibling.setAttribute('aria-expanded', 'false');
        other.remove();
      }
      item.replaceWith(open);
      open.firstElementChild.focus();
      this.#show();
    });
    return item;
  }
}

/** A reason in the console's language. */
function reasonText(reason) {
  const words = reason.text?.[currentLanguage()];
  if (words) return words;
  if (reason.feature !== null) return text('modelReason', { feature: reason.feature });
  return reason.code;
}

function details(decision) {
  const facts = [
    ['transactionId', decision.transactionId],
    ['time', formatDateTime(decision.eventTimeMs)],
    ['merchant', decision.merchant ?? '–'],
    ['channel', text(decision.channel)],
    ['score', `${decision.score} / 1000`],
    ['mode', text(decision.mode)],
    ['offset', String(decision.ledgerOffset)],
  ].map(([key, value]) => element('div', '', [element('dt', '', text(key)), element('dd', '', value)]));
  const reasons =
    decision.reasons.length === 0
      ? element('p', 'soft', text('noReasons'))
      : element('ul', 'reasons', reasonItems(decision.reasons));
  return element('div', 'details', [element('dl', '', facts), element('h3', '', text('reasons')), reasons]);
}

function reasonItems(reasons) {
  const greatest = Math.max(0, ...reasons.map((reason) => Math.abs(reason.contribution ?? 0)));
  return reasons.map((reason) => reasonItem(reason, greatest));
}

/** `greatest`: the decision's greatest contribution, which the meter is full at. */
function reasonItem(reason, greatest) {
  const origin = [reason.code];
  if (reason.rule !== null) origin.push(reason.rule);
  if (reason.version !== null) origin.push(text('version', { version: reason.version }));
  if (reason.list !== null) origin.push(reason.list);
  if (reason.feature !== null) origin.push(reason.feature);
  if (reason.value !== null) origin.push(`${text('value')} ${formatNumber(reason.value)}`);
  const parts = [element('b', '', reasonText(reason)), element('span', 'origin', origin.join(' · '))];
  if (reason.contribution !== null) {
    const meter = element('meter', '', '');
    meter.max = greatest;
    meter.value = Math.abs(reason.contribution);
    const sign = reason.contribution < 0 ? '−' : '+';
    const words = `${text('contribution')} ${sign}${formatNumber(Math.abs(reason.contribution))}`;
    parts.push(element('span', 'contribution', [meter, words]));
  }
  return element('li', '', parts);
}

/** An element with a class and text or children; text is set as text. */
export function element(name, className, content) {
  const created = document.createElement(name);
  if (className !== '') created.className = className;
  if (Array.isArray(content)) created.append(...content);
  else created.textContent = content;
  return created;
}
