import type { ReleaseView } from '../domain/release.ts';
import type { ApiClient } from './api-client.ts';
import { wantsColor } from './colors.ts';
import { harmless, truncate } from './display-width.ts';
import { type CliIo, widthOf } from './io.ts';
import { LiveScreen } from './live-screen.ts';
import { type Language, MESSAGES } from './messages.ts';
import { releaseChanges } from './release-changes.ts';
import { followRelease } from './release-stream.ts';
import { renderRelease } from './render-release.ts';

/** Durations of what runs are drawn anew so often. */
const REDRAW_MS = 1_000;

/** `--timeout` came before the end of the release. */
export class WatchTimeout extends Error {
  /** What was seen last; undefined when nothing was. */
  readonly view: ReleaseView | undefined;

  constructor(view: ReleaseView | undefined) {
    super('the release still runs');
    this.name = 'WatchTimeout';
    this.view = view;
  }
}

export interface WatchOptions {
  readonly api: ApiClient;
  /** Under the API, such as `/v1/releases/sample/k1`. */
  readonly path: string;
  readonly language: Language;
  readonly json: boolean;
  /** Seconds; 0 for no end. */
  readonly timeoutSeconds: number;
}

/**
 * Shows a release until it ends: a tree redrawn on a terminal, a line for each change elsewhere, a JSON line for each
 * state with `json`. Throws `WatchTimeout`, and what `followRelease` throws.
 *
 * @returns the release as it ended
 */
export async function watchRelease(io: CliIo, options: WatchOptions): Promise<ReleaseView> {
  const timeout = new AbortController();
  const timer =
    options.timeoutSeconds > 0 ? setTimeout(() => timeout.abort(), options.timeoutSeconds * 1000) : undefined;
  const show = options.json ? jsonLines(io) : io.stderr.isTTY ? liveTree(io, options) : plainLines(io, options);
  let view: ReleaseView | undefined;
  try {
    const signal = AbortSignal.any([io.interrupted, timeout.signal]);
    for await (const sight of followRelease(options.api, options.path, signal)) {
      if (sight.kind === 'lost') show.lost(sight.reason);
      else {
        view = sight.view;
        show.seen(view);
        if (sight.kind === 'end') return view;
      }
    }
    throw new Error('following a release ended without its end');
  } catch (error) {
    if (timeout.signal.aborted && !io.interrupted.aborted) throw new WatchTimeout(view);
    throw error;
  } finally {
    clearTimeout(timer);
    show.close();
  }
}

interface Show {
  seen(view: ReleaseView): void;
  lost(reason: string): void;
  close(): void;
}

function liveTree(io: CliIo, { language }: WatchOptions): Show {
  const screen = new LiveScreen(io.stderr);
  let view: ReleaseView | undefined;
  let notice: string | undefined;
  const draw = () => {
    if (view === undefined) return;
    const now = new Date().toISOString();
    const color = wantsColor(io.stderr, io.env);
    const lines = renderRelease(view, { width: widthOf(io.stderr), color, language, now });
    screen.draw(notice === undefined ? lines : [...lines, notice]);
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    seen: (next) => {
      view = next;
      notice = undefined;
      draw();
    },
    lost: (reason) => {
      notice = truncate(harmless(MESSAGES[language].streamLost(reason)), widthOf(io.stderr));
      draw();
    },
    close: () => {
      clearInterval(timer);
      // The result is written to stdout; the picture must not stand there twice.
      if (view?.outcome === undefined) screen.end();
      else screen.clear();
    },
  };
}

function plainLines(io: CliIo, { language }: WatchOptions): Show {
  let before: ReleaseView | undefined;
  return {
    seen: (view) => {
      for (const line of releaseChanges(before, view, language)) io.stderr.write(`${line}\n`);
      before = view;
    },
    lost: (reason) => io.stderr.write(`${MESSAGES[language].streamLost(reason)}\n`),
    close: () => undefined,
  };
}

function jsonLines(io: CliIo): Show {
  return {
    seen: (release) => io.stdout.write(`${JSON.stringify({ v: 1, event: 'release', release })}\n`),
    lost: (reason) => io.stderr.write(`${JSON.stringify({ v: 1, event: 'lost', reason })}\n`),
    close: () => undefined,
  };
}
