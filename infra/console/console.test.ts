import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { startTestServer, type TestServer } from '../http/testing/testServer.ts';
import { SyntheticTraffic } from './testing/syntheticTraffic.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium)
  console.log(`console: not tested, no Chromium at ${CHROMIUM} (apt-get install chromium, or set CHROMIUM)`);

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const screenshots = join(packageRoot, 'artifacts');

describe.runIf(hasChromium)('the console', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: TestServer;
  const clock: { nowMs: number | null } = { nowMs: null };
  const faults: string[] = [];

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    // Started five minutes ago, so that there is a past to show.
    clock.nowMs = Date.now() - 301_000;
    server = await startTestServer({}, { clock: () => clock.nowMs ?? Date.now() });
    clock.nowMs = null;
    await open('light', { width: 1360, height: 900 });
  });
  afterEach(async () => {
    await context.close();
    await server.close();
    expect(faults.splice(0)).toEqual([]);
  });

  async function open(colorScheme: 'light' | 'dark', viewport: { width: number; height: number }): Promise<void> {
    context = await browser.newContext({ colorScheme, viewport, locale: 'en-GB', timezoneId: 'UTC' });
    page = await context.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('dialog', (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // Chromium itself reports refused and lost requests, which some tests are about.
      if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
        faults.push(message.text());
    });
  }

  async function visit(key: string | null = server.keys.analyst): Promise<void> {
    await page.goto(`${server.url}/${key === null ? '' : `#key=${key}`}`);
  }

  /** Five minutes of traffic with a burst of fraud in them, and a little more now. */
  function traffic(): SyntheticTraffic {
    const synthetic = new SyntheticTraffic(server);
    const endMs = Date.now();
    for (let second = 300; second >= 1; second--) {
      clock.nowMs = endMs - second * 1000;
      const rate = 180 + 30 * Math.sin(second / 25) + 14 * Math.sin(second * 1.7);
      const campaign = second > 70 && second < 130 ? Math.sin(((second - 70) / 60) * Math.PI) : 0;
      synthetic.decide(Math.round(rate), clock.nowMs, campaign);
    }
    clock.nowMs = null;
    return synthetic;
  }

  async function screenshot(name: string): Promise<void> {
    await page.screenshot({ path: join(screenshots, `console-${name}.png`) });
  }

  const text = (selector: string): Promise<string> => page.locator(selector).innerText();

  it('asks for a key, says why one is refused, keeps a good one for the tab, and takes it out of the address', async () => {
    await visit(null);
    await page.locator('#keyForm').waitFor();
    await screenshot('key');
    await page.fill('#key', server.keys.gateway);
    await page.click('#keyForm button');
    await expect.poll(() => text('#keyFault')).toContain('role analyst or operator');
    await page.fill('#key', 'sk_wrong');
    await page.click('#keyForm button');
    await expect.poll(() => text('#keyFault')).toContain('does not know');
    await page.fill('#key', server.keys.analyst);
    await page.click('#keyForm button');
    await expect.poll(() => text('#connection')).toBe('Live');
    await page.reload();
    await expect.poll(() => text('#connection')).toBe('Live');
    await visit();
    await expect.poll(() => page.url()).toBe(`${server.url}/`);
  });

  it('says that nothing has come yet, then shows the first decision', async () => {
    await visit();
    await expect.poll(() => text('#empty')).toContain('No payments yet');
    await screenshot('empty');
    new SyntheticTraffic(server).decide(1, Date.now(), 0);
    await expect.poll(() => page.locator('#decisions .row').count()).toBe(1);
    expect(await page.locator('#empty').isVisible()).toBe(false);
  });

  it('shows rate, shares, percentiles, charts and decisions, and follows them', async () => {
    const synthetic = traffic();
    await visit();
    await expect.poll(() => text('#rate')).toMatch(/^1\d\d|2\d\d$/);
    expect(await text('#shares')).toMatch(/Approve\s+9\d(\.\d)?%/);
    expect(await text('#p99')).toMatch(/^\d[\d.]* ms$/);
    expect(await text('#system')).toMatch(/Rule set\s+2026-11\.1[^]*default v1[^]*1,240 behind/);
    const rows = page.locator('#decisions .row');
    expect(await rows.count()).toBe(30);
    const painted = await page.locator('#verdictChart').evaluate((canvas: HTMLCanvasElementLike) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) / data.length;
    });
    expect(painted).toBeGreaterThan(0.2);
    const before = Number((await text('#total')).replaceAll(',', ''));
    synthetic.decide(50, Date.now(), 1);
    await expect.poll(async () => Number((await text('#total')).replaceAll(',', ''))).toBe(before + 50);
    await screenshot('light-en');
  });

  it('opens a decision with its reasons, filters, and stands still while one reads', async () => {
    const synthetic = traffic();
    await visit();
    await page.click('#decisionFilter button[value=flagged]');
    await expect.poll(() => page.locator('#decisions .row .verdict.approve').count()).toBe(0);
    const declined = page.locator('#decisions .row', { has: page.locator('.verdict.decline') }).first();
    await declined.click();
    expect(await text('.details')).toMatch(/Transaction\s+t-\d+[^]*Reasons/);
    const id = await text('.details dd >> nth=0');
    await page.mouse.move(5, 5);
    synthetic.decide(60, Date.now(), 1);
    await expect.poll(() => text('#held')).toMatch(/\d+ newer/);
    expect(await text('.details dd >> nth=0')).toBe(id);
    await screenshot('details');
    await page.locator('#decisions .row[aria-expanded=true]').click();
    await page.mouse.move(5, 5);
    await expect.poll(() => text('#held')).toBe('');
    await page.click('#pause');
    synthetic.decide(60, Date.now(), 1);
    await expect.poll(() => text('#held')).toMatch(/\d+ newer/);
  });

  it('shows what a gateway sends as text, whatever it says', async () => {
    new SyntheticTraffic(server).decide(40, Date.now(), 0);
    const [decision] = server.liveFeed.snapshot().decisions;
    if (decision === undefined) throw new Error('no decision');
    const markup = '<img src=x onerror=alert(1)>';
    const reason = {
      code: markup,
      rule: markup,
      version: 1,
      list: null,
      feature: null,
      contribution: null,
      value: null,
    };
    server.liveFeed.publish({
      ...decision,
      ledgerOffset: 919_000,
      verdict: 'decline',
      merchant: markup,
      currency: 'x<y',
      transactionId: markup,
      reasons: [{ ...reason, text: { en: markup, zh: markup } }],
    });
    await visit();
    await page.locator('#decisions .row').first().click();
    expect(await text('.details')).toContain(markup);
    expect(await page.locator('#decisions img, #decisions script').count()).toBe(0);
    const policy = (await page.request.get(`${server.url}/`)).headers()['content-security-policy'];
    expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
  });

  it('speaks Chinese, is dark where it should be, and remembers both', async () => {
    traffic();
    await visit();
    await expect.poll(() => text('#connection')).toBe('Live');
    await page.click('#language');
    await page.click('#theme');
    await expect.poll(() => text('#connection')).toBe('实时');
    await page.reload();
    await expect.poll(() => text('#connection')).toBe('实时');
    expect(await text('body')).toContain('最新决策');
    const leftOver = (await text('main')).match(/\b(Payments|Verdicts|Latest|System|Approve|Decline|Rule set)\b/);
    expect(leftOver).toBeNull();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await screenshot('dark-zh');
    await page.click('#theme');
    await screenshot('light-zh');
  });

  it('fits a phone', async () => {
    await context.close();
    await open('dark', { width: 390, height: 844 });
    traffic();
    await visit();
    await expect.poll(() => page.locator('#decisions .row').count()).toBe(30);
    const overflow = await page
      .locator('html')
      .evaluate((root: HTMLElementLike) => root.scrollWidth - root.clientWidth);
    expect(overflow).toBe(0);
    await page.screenshot({ path: join(screenshots, 'console-phone.png'), fullPage: true });
    await context.close();
    await open('dark', { width: 1360, height: 900 });
    await visit();
    await expect.poll(() => page.locator('#decisions .row').count()).toBe(30);
    await screenshot('dark-en');
  });

  it('says when the connection is lost or Sluice is not ready, and comes back by itself', async () => {
    traffic();
    server.status.current = { ...server.status.current, riskLevel: 'lockdown', degradation: 'noModel' };
    await visit();
    await expect.poll(() => text('#posture')).toBe('Risk level: lockdown · rules, no model');
    server.status.current = { ...server.status.current, ready: false, waitingFor: 'the engine is catching up' };
    await expect.poll(() => text('#notice')).toBe('Sluice is not ready: the engine is catching up');
    await context.setOffline(true);
    server.app.server.closeAllConnections();
    await expect.poll(() => text('#connection')).toBe('Disconnected');
    expect(await text('#notice')).toContain('not up to date');
    await screenshot('lost');
    await context.setOffline(false);
    await expect.poll(() => text('#connection'), { timeout: 15_000 }).toBe('Starting');
  });
});

/** What the test needs of the DOM, whose types are not those of this program. */
interface HTMLCanvasElementLike {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

interface HTMLElementLike {
  readonly scrollWidth: number;
  readonly clientWidth: number;
}
