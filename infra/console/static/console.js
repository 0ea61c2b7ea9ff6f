import { paintLine, paintStack, TimeChart } from './charts.js';
import { DecisionList, element } from './decisionList.js';
import { formatCount, formatDuration, formatMilliseconds, formatRate, formatShare } from './format.js';
import { LiveStream } from './liveStream.js';
import { currentLanguage, setLanguage, text } from './texts.js';

/** Bottom of the stack first: what is not approved lies on the axis. */
const VERDICTS = ['decline', 'review', 'challenge', 'approve'];
const KEPT_SECONDS = 300;
const KEY = 'sluice.key';

const byId = (id) => document.getElementById(id);
const state = {
  connection: 'connecting',
  latest: null,
  seconds: new Map(),
  verdictScale: 'count',
  retryAtMs: 0,
  isFull: false,
};

const list = new DecisionList({ list: byId('decisions'), empty: byId('empty'), held: byId('held') });
const verdictChart = new TimeChart(byId('verdictChart'), {
  highest: (seconds) => (state.verdictScale === 'share' ? 1 : Math.max(0, ...seconds.map(totalOf))),
  label: (value) => (state.verdictScale === 'share' ? formatShare(value) : formatRate(value)),
  paint: (plot, seconds) => {
    paintStack(plot, seconds, VERDICTS, (second) => {
      const unit = state.verdictScale === 'share' ? Math.max(1, totalOf(second)) : 1;
      return VERDICTS.map((verdict) => second[verdict] / unit);
    });
  },
  describe: (second) => VERDICTS.toReversed().map((verdict) => `${text(verdict)} ${formatCount(second[verdict])}`),
});
const latencyChart = new TimeChart(byId('latencyChart'), {
  highest: (seconds) => Math.max(0, ...seconds.map((second) => second.latencyP99Ms ?? 0)),
  label: (value) => (value === 0 ? '0' : formatMilliseconds(value)),
  paint: (plot, seconds) => {
    paintLine(plot, seconds, 'p99', (second) => second.latencyP99Ms, true);
    paintLine(plot, seconds, 'p50', (second) => second.latencyP50Ms, true);
  },
  describe: (second) => [
    `p50 ${formatMilliseconds(second.latencyP50Ms)}`,
    `p99 ${formatMilliseconds(second.latencyP99Ms)}`,
  ],
});

const stream = new LiveStream({
  onState: (connection) => {
    state.connection = connection;
    showConnection();
  },
  onLost: ({ waitMs, isFull }) => {
    state.connection = 'lost';
    state.retryAtMs = Date.now() + waitMs;
    state.isFull = isFull;
    showConnection();
  },
  onEvent: (event, data) => {
    if (event === 'snapshot') {
      state.seconds.clear();
      list.clear();
    }
    state.latest = data;
    for (const second of data.seconds) state.seconds.set(second.startMs, second);
    for (const startMs of [...state.seconds.keys()].slice(0, Math.max(0, state.seconds.size - KEPT_SECONDS))) {
      state.seconds.delete(startMs);
    }
    list.add(data.decisions);
    showFigures(data);
    showSystem(data);
    if (data.seconds.length > 0) showCharts();
    showConnection();
  },
});

function totalOf(second) {
  return second.approve + second.challenge + second.review + second.decline;
}

function showFigures({ window: figures, total }) {
  byId('rate').textContent = formatRate(figures.decisionsPerSecond);
  byId('total').textContent = formatCount(total);
  byId('p50').textContent = formatMilliseconds(figures.latencyP50Ms);
  byId('p99').textContent = formatMilliseconds(figures.latencyP99Ms);
  byId('p999').textContent = formatMilliseconds(figures.latencyP999Ms);
  const share = (verdict) => (figures.decisions === 0 ? 0 : figures.verdicts[verdict] / figures.decisions);
  for (const part of byId('shareBar').children) part.style.flexGrow = String(share(part.dataset.verdict));
  byId('shares').replaceChildren(
    ...VERDICTS.toReversed().map((verdict) =>
      element('li', verdict, [
        element('span', '', text(verdict)),
        element('b', '', figures.decisions === 0 ? '–' : formatShare(share(verdict))),
      ]),
    ),
  );
}

function showSystem({ status, nowMs }) {
  byId('deployment').textContent = status.deployment;
  const behind = (records) => (records === 0 ? text('none') : text('behind', { count: formatCount(records) }));
  const { model, historyLagRecords: historyLag } = status;
  const rows = [
    ['ruleSet', status.ruleSet ?? '–'],
    ['model', model === null ? text('none') : `${model.id} ${text('version', { version: model.version })}`],
    ['degradation', text(status.degradation), status.degradation !== 'full'],
    ['riskLevel', text(status.riskLevel), status.riskLevel !== 'normal'],
    ['ledger', text('ledgerRecords', { count: formatCount(status.ledgerEndOffset) })],
    ['engineLag', behind(status.engineLagRecords), status.engineLagRecords > 1000],
    ['historyLag', historyLag === null ? text('noHistory') : behind(historyLag), historyLag > 100_000],
    ['uptime', formatDuration(nowMs - status.startedAtMs)],
  ];
  byId('system').replaceChildren(
    ...rows.map(([key, value, isWarning]) =>
      element('div', isWarning ? 'warning' : '', [element('dt', '', text(key)), element('dd', '', value)]),
    ),
  );
  const isUnusual = status.riskLevel !== 'normal' || status.degradation !== 'full';
  const posture = byId('posture');
  posture.hidden = !isUnusual;
  posture.textContent = [
    status.riskLevel === 'normal' ? '' : `${text('riskLevel')}: ${text(status.riskLevel)}`,
    status.degradation === 'full' ? '' : text(status.degradation),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function showCharts() {
  const seconds = [...state.seconds.values()].sort((left, right) => left.startMs - right.startMs);
  verdictChart.show(seconds);
  latencyChart.show(seconds);
  const { latest } = state;
  if (latest === null) return;
  const summary = (title, value) => text('chartSummary', { title: text(title), value });
  const { decisionsPerSecond, latencyP99Ms } = latest.window;
  byId('verdictChart').setAttribute('aria-label', summary('verdictsOverTime', formatRate(decisionsPerSecond)));
  byId('latencyChart').setAttribute('aria-label', summary('latencyOverTime', formatMilliseconds(latencyP99Ms)));
}

function showConnection() {
  const { connection, latest } = state;
  const isKeyNeeded = connection === 'keyUnknown' || connection === 'keyRole';
  const isReady = latest?.status.ready ?? true;
  document.body.dataset.state = isKeyNeeded ? 'keyNeeded' : connection === 'live' && !isReady ? 'starting' : connection;
  setText(byId('connection'), text(document.body.dataset.state));
  byId('keyForm').hidden = !isKeyNeeded;
  byId('board').hidden = isKeyNeeded;
  const fault = byId('keyFault');
  fault.hidden = !isKeyNeeded || sessionStorage.getItem(KEY) === null;
  fault.textContent = isKeyNeeded ? text(connection) : '';
  const notice = byId('notice');
  const words = noticeText(connection, isReady);
  notice.hidden = words === '';
  setText(notice, words);
}

function noticeText(connection, isReady) {
  if (connection === 'lost') {
    const seconds = Math.max(0, Math.ceil((state.retryAtMs - Date.now()) / 1000));
    return text(state.isFull ? 'liveFull' : 'reconnectIn', { seconds });
  }
  if (connection === 'connecting' && state.latest !== null) return text('reconnecting');
  if (connection === 'live' && !isReady) return text('notReady', { reason: state.latest.status.waitingFor ?? '' });
  return '';
}

/** Only when it changes: a live region is read aloud at every write. */
function setText(target, words) {
  if (target.textContent !== words) target.textContent = words;
}

function showAll() {
  setLanguage(currentLanguage());
  byId('language').textContent = text('otherLanguage');
  list.render();
  if (state.latest !== null) {
    showFigures(state.latest);
    showSystem(state.latest);
  }
  showCharts();
  showConnection();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  showCharts();
}

function pressOne(group, onPress) {
  group.addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    for (const button of group.children) button.setAttribute('aria-pressed', String(button === target));
    onPress(target.value);
  });
}

pressOne(byId('verdictScale'), (value) => {
  state.verdictScale = value;
  showCharts();
});
pressOne(byId('decisionFilter'), (value) => list.setFilter(value));
byId('pause').addEventListener('click', ({ currentTarget }) => {
  const isPaused = currentTarget.getAttribute('aria-pressed') !== 'true';
  currentTarget.setAttribute('aria-pressed', String(isPaused));
  list.setPaused(isPaused);
});
byId('language').addEventListener('click', () => {
  setLanguage(currentLanguage() === 'zh' ? 'en' : 'zh');
  localStorage.setItem('sluice.language', currentLanguage());
  showAll();
});
byId('theme').addEventListener('click', () => {
  const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark';
  localStorage.setItem('sluice.theme', isDark ? 'light' : 'dark');
  setTheme(isDark ? 'light' : 'dark');
});
byId('keyForm').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId('key').value.trim());
  byId('key').value = '';
  stream.start(sessionStorage.getItem(KEY));
});
setInterval(showConnection, 1000);

// The key comes once, in the fragment, which browsers do not send; it is taken out of the address at once.
function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return false;
  sessionStorage.setItem(KEY, key);
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

window.addEventListener('hashchange', () => {
  if (takeKeyFromAddress()) stream.start(sessionStorage.getItem(KEY));
});
takeKeyFromAddress();
setTheme(localStorage.getItem('sluice.theme') ?? 'auto');
setLanguage(localStorage.getItem('sluice.language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));
showAll();
stream.start(sessionStorage.getItem(KEY));
