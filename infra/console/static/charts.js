import { formatTime } from './format.js';

const SHOWN_SECONDS = 300;
const PADDING = { top: 10, right: 8, bottom: 22, left: 58 };

/**
 * A chart of the last five minutes on a canvas. `paint` draws into the plot, `highest` says how far the axis must reach,
 * `label` writes a value of the axis, `describe` gives the lines of the tooltip for one second.
 */
export class TimeChart {
  #canvas;
  #options;
  #seconds = [];
  #hover = null;
  #tooltip;

  constructor(canvas, options) {
    this.#canvas = canvas;
    this.#options = options;
    this.#tooltip = document.createElement('div');
    this.#tooltip.className = 'tooltip';
    this.#tooltip.hidden = true;
    canvas.after(this.#tooltip);
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    canvas.addEventListener('pointermove', (event) => {
      this.#hover = event.offsetX;
      this.draw();
    });
    canvas.addEventListener('pointerleave', () => {
      this.#hover = null;
      this.draw();
    });
  }

  /** Seconds oldest first, without gaps, at most 300. */
  show(seconds) {
    this.#seconds = seconds;
    this.draw();
  }

  draw() {
    const canvas = this.#canvas;
    const { width, height } = canvas.parentElement.getBoundingClientRect();
    if (width === 0) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const plot = {
      context,
      colour: (name) => style.getPropertyValue(`--${name}`),
      left: PADDING.left,
      top: PADDING.top,
      width: width - PADDING.left - PADDING.right,
      height: height - PADDING.top - PADDING.bottom,
    };
    const ceiling = niceCeiling(this.#options.highest(this.#seconds));
    const step = plot.width / SHOWN_SECONDS;
    const newest = this.#seconds.at(-1)?.startMs ?? 0;
    plot.step = step;
    plot.xOf = (second) => plot.left + plot.width - ((newest - second.startMs) / 1000) * step - step;
    plot.yOf = (value) => plot.top + plot.height * (1 - Math.min(1, value / ceiling));
    context.font = `11px ${style.fontFamily}`;
    this.#drawAxes(plot, ceiling, newest);
    if (newest === 0) return;
    this.#options.paint(plot, this.#seconds);
    this.#drawHover(plot);
  }

  #drawAxes(plot, ceiling, newest) {
    const { context } = plot;
    context.strokeStyle = plot.colour('line');
    context.fillStyle = plot.colour('soft');
    context.lineWidth = 1;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(plot.yOf(ceiling * part)) + 0.5;
      context.beginPath();
      context.moveTo(plot.left, y);
      context.lineTo(plot.left + plot.width, y);
      context.stroke();
      context.fillText(this.#options.label(ceiling * part), plot.left - 7, y);
    }
    if (newest === 0) return;
    context.textBaseline = 'alphabetic';
    const every = plot.width < 380 ? 120_000 : 60_000;
    for (let time = Math.ceil((newest - SHOWN_SECONDS * 1000) / every) * every; time <= newest; time += every) {
      const x = plot.xOf({ startMs: time });
      if (x < plot.left) continue;
      context.textAlign = x > plot.left + plot.width - 24 ? 'right' : x < plot.left + 24 ? 'left' : 'center';
      context.fillText(formatTime(time).slice(0, -3), x, plot.top + plot.height + 16);
    }
  }

  #drawHover(plot) {
    const tooltip = this.#tooltip;
    const second =
      this.#hover === null
        ? undefined
        : this.#seconds.find((each) => Math.abs(plot.xOf(each) + plot.step / 2 - this.#hover) <= plot.step / 2 + 0.01);
    tooltip.hidden = second === undefined;
    if (second === undefined) return;
    const x = plot.xOf(second) + plot.step / 2;
    plot.context.strokeStyle = plot.colour('soft');
    plot.context.beginPath();
    plot.context.moveTo(x, plot.top);
    plot.context.lineTo(x, plot.top + plot.height);
    plot.context.stroke();
    tooltip.replaceChildren(
      ...[formatTime(second.startMs), ...this.#options.describe(second)].map((line) => {
        const element = document.createElement('div');
        element.textContent = line;
        return element;
      }),
    );
    const isRight = x > plot.left + plot.width / 2;
    tooltip.style.left = isRight ? '' : `${x + 10}px`;
    tooltip.style.right = isRight ? `${this.#canvas.clientWidth - x + 10}px` : '';
  }
}

/** Stacked columns, one a second: the first part lies on the axis, where it is easiest to compare. */
export function paintStack(plot, seconds, parts, valuesOf) {
  const { context } = plot;
  const width = plot.step > 4 ? plot.step - 1 : plot.step + 0.3;
  for (const second of seconds) {
    const x = plot.xOf(second);
    if (x < plot.left - plot.step) continue;
    let sum = 0;
    valuesOf(second).forEach((value, index) => {
      if (value > 0) {
        context.fillStyle = plot.colour(parts[index]);
        const top = plot.yOf(sum + value);
        context.fillRect(Math.max(plot.left, x), top, width, plot.yOf(sum) - top);
      }
      sum += value;
    });
  }
}

/** A line with breaks where there is no value. */
export function paintLine(plot, seconds, colour, valueOf, isFilled) {
  const { context } = plot;
  context.strokeStyle = plot.colour(colour);
  context.fillStyle = plot.colour(colour);
  context.lineWidth = 1.75;
  context.lineJoin = 'round';
  for (const run of runs(seconds, valueOf)) {
    const points = run.map((second) => [
      Math.max(plot.left, plot.xOf(second) + plot.step / 2),
      plot.yOf(valueOf(second)),
    ]);
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
    if (points.length === 1) context.fillRect(points[0][0] - 1, points[0][1] - 1, 2, 2);
    if (!isFilled) continue;
    context.lineTo(points.at(-1)[0], plot.top + plot.height);
    context.lineTo(points[0][0], plot.top + plot.height);
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
  }
}

function runs(seconds, valueOf) {
  const found = [];
  let run = [];
  for (const second of seconds) {
    if (valueOf(second) === null) {
      if (run.length > 0) found.push(run);
      run = [];
    } else {
      run.push(second);
    }
  }
  if (run.length > 0) found.push(run);
  return found;
}

/** The next of 1, 2, 4, 5, 6, 8 times a power of ten: half of it is a round number too. */
function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.999);
}
