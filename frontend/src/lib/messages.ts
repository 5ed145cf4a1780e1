/** Which text tells a person what happened, what is still true, and what to do next. */
import { ConnectionError, ProblemError, UnexpectedAnswerError } from './api/problem';
import type { IndexStatus } from './api/types';
import { texts } from './texts';

export interface Notice {
  kind: 'info' | 'success' | 'warning' | 'error';
  text: string;
  /** What helps, when it is a sentence of its own. */
  hint?: string;
  /** What an administrator can look up in the log. */
  requestId?: string | null;
}

const notice = (kind: Notice['kind'], text: string, hint?: string): Notice => ({
  kind,
  text,
  ...(hint ? { hint } : {}),
});

const said = texts.session;

/** How a session began or ended. */
export const notices = {
  loggedOut: notice('success', said.loggedOut),
  loggedOutEverywhere: notice('success', said.loggedOutEverywhere),
  loggedOutElsewhere: notice('info', said.loggedOutElsewhere),
  loggedOutOnlyHere: notice('warning', said.loggedOutOnlyHere, said.loggedOutOnlyHereHint),
  sessionEnded: notice('info', said.ended, said.endedHint),
  otherUser: (username: string) => notice('info', said.otherUser(username)),
  startedAfresh: (username: string) => notice('info', said.startedAfresh(username)),
  passwordChanged: notice('success', said.passwordChanged),
  accountCreated: (username: string) => notice('success', said.accountCreated(username)),
  differentSite: (pageHost: string, apiHost: string) =>
    notice('warning', texts.entry.differentSite(pageHost, apiHost), texts.entry.differentSiteHint(apiHost)),
};

/** How far the reading of the data directory is. */
export function describeReading({ seen, pending, remaining_seconds: remaining }: IndexStatus): string {
  const files = texts.dashboard.readingFiles(seen - pending, seen);
  return remaining !== null && remaining > 0 ? `${files} ${texts.dashboard.timeLeft(remaining)}` : files;
}

/** What went wrong, in words. Silent errors never come here. */
export function explainError(error: unknown): Notice {
  if (error instanceof ConnectionError) return { kind: 'error', ...explainConnection(error) };
  if (error instanceof UnexpectedAnswerError) return { kind: 'error', ...explainUnexpected(error) };
  if (error instanceof ProblemError) {
    // A number to look up in the log helps where the server failed, not where it refused.
    const requestId = error.status >= 500 ? error.requestId : null;
    return { kind: 'error', requestId, ...explainProblem(error) };
  }
  return notice('error', texts.problems.pageMistake, texts.problems.pageMistakeHint);
}

type Words = Pick<Notice, 'text' | 'hint'>;

function explainConnection({ kind, apiUrl }: ConnectionError): Words {
  const { problems } = texts;
  switch (kind) {
    case 'offline':
      return { text: problems.offline, hint: problems.offlineHint };
    case 'unreachable':
      return { text: problems.unreachable(apiUrl), hint: problems.unreachableHint };
    case 'refused-origin':
      return { text: problems.refusedOrigin(apiUrl, location.origin), hint: problems.originHint };
    case 'interrupted':
      return { text: problems.interrupted, hint: problems.tryAgain };
    case 'timeout':
      return { text: problems.timeout, hint: problems.tryAgainSoon };
  }
}

function explainUnexpected({ kind, status }: UnexpectedAnswerError): Words {
  const { problems } = texts;
  switch (kind) {
    case 'gateway':
      return { text: problems.gateway(status), hint: problems.tryAgainSoon };
    case 'web-page':
      return { text: problems.webPage, hint: problems.webPageHint };
    case 'not-json':
      return { text: problems.notUnderstood, hint: problems.notUnderstoodHint };
    case 'not-image':
      return { text: problems.notImage, hint: problems.tryAgain };
    case 'damaged-image':
      return { text: problems.damagedImage, hint: problems.tryAgain };
  }
}

function explainProblem({ code, title, detail, retryAfter }: ProblemError): Words {
  const { problems } = texts;
  switch (code) {
    case 'invalid_credentials':
      return { text: problems.wrongCredentials };
    case 'too_many_attempts':
      return { text: problems.tooManyAttempts, hint: problems.again(retryAfter) };
    case 'busy':
      return { text: problems.busy, hint: problems.again(retryAfter) };
    case 'setup_done':
      return { text: problems.setupDone, hint: problems.setupDoneHint };
    case 'no_volume':
      return { text: problems.noVolume, hint: problems.noVolumeHint };
    case 'data_directory_unavailable':
      return { text: problems.directoryUnavailable, hint: problems.directoryUnavailableHint };
    case 'database_unavailable':
      return { text: problems.databaseUnavailable, hint: problems.databaseUnavailableHint };
    case 'series_not_found':
      return { text: problems.seriesNotFound, hint: problems.seriesNotFoundHint };
    case 'file_gone':
    case 'file_replaced':
      return { text: problems.fileChanged, hint: problems.tryAgain };
    case 'integrity_mismatch':
      return { text: problems.integrityMismatch, hint: problems.integrityMismatchHint };
    case 'origin_not_allowed':
      return { text: problems.originNotAllowed(location.origin), hint: problems.originHint };
    case 'internal':
      return { text: problems.internal, hint: problems.internalHint };
    default:
      return { text: detail || title || problems.refused };
  }
}
