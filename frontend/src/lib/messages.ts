/** Every sentence that tells a person what happened, what is still true, and what to do next. */
import { ConnectionError, ProblemError, UnexpectedAnswerError } from './api/problem';
import type { IndexStatus } from './api/types';

export interface Notice {
  kind: 'info' | 'success' | 'warning' | 'error';
  text: string;
  /** What helps, when it is a sentence of its own. */
  hint?: string;
  /** What an administrator can look up in the log. */
  requestId?: string | null;
}

const numbers = new Intl.NumberFormat();
const count = (n: number, one: string, many: string) => `${numbers.format(n)} ${n === 1 ? one : many}`;

/** A time to wait, rounded up to what a person plans with. */
const duration = (seconds: number) =>
  seconds < 90
    ? count(seconds, 'second', 'seconds')
    : seconds < 90 * 60
      ? count(Math.ceil(seconds / 60), 'minute', 'minutes')
      : count(Math.ceil(seconds / 3600), 'hour', 'hours');

const info = (text: string, hint?: string): Notice => ({ kind: 'info', text, ...(hint ? { hint } : {}) });

export const messages = {
  loggedOut: { kind: 'success', text: 'You are logged out.' } satisfies Notice,
  loggedOutEverywhere: {
    kind: 'success',
    text: 'You are logged out, here and in every other browser.',
  } satisfies Notice,
  loggedOutElsewhere: info('You are logged out: another tab logged out.'),
  loggedOutOnlyHere: {
    kind: 'warning',
    text: 'You are logged out in this browser, but the server could not be told.',
    hint: 'Its session may last a while longer. Try again when the server can be reached.',
  } satisfies Notice,
  sessionEnded: info('Your session has ended.', 'Log in again to go on where you were.'),
  otherUser: (username: string) => info(`This tab now belongs to ${username}, who logged in in another tab.`),
  passwordChanged: {
    kind: 'success',
    text: 'Your password is changed. Every other session of yours has ended.',
  } satisfies Notice,
  accountCreated: (username: string): Notice => ({
    kind: 'success',
    text: `The account ${username} exists now. Log in with it.`,
  }),
  usernameMissing: 'Type your user name.',
  passwordMissing: 'Type your password.',
  currentPasswordMissing: 'Type your present password.',
  newPasswordMissing: 'Choose a password.',
  passwordHint: (shortest: number | null) =>
    `${shortest ? `At least ${shortest} characters. ` : ''}Long beats complicated: a few unrelated words are good. Spaces and pasting are fine.`,
  passwordsDiffer: 'The two passwords are not the same.',
  codeMissing: 'This page needs the whole set-up link, with the code at its end.',
  codeMissingHint: 'Copy the link from the server’s log again.',
  capsLock: 'Caps Lock is on.',
  setupRequired: 'This server has no account yet.',
  setupRequiredHint:
    'Its log shows a one-time set-up link, a line with “/setup#code=”. Open that link to create the first account.',
  differentSite: (pageHost: string, apiHost: string): Notice => ({
    kind: 'warning',
    text: `This page was opened at ${pageHost}, but its server is at ${apiHost}. Browsers keep these two apart, so a log-in would not last.`,
    hint: `Open this page at ${apiHost}, or change IMAGESERVER_API_URL.`,
  }),
  noVolume: 'No DICOM volume found in the data directory.',
  noVolumeHint: 'Put DICOM files into it; this page will notice.',
  readingDirectory: ({ seen, pending, remaining_seconds: remaining }: IndexStatus) =>
    [
      seen > 0
        ? `Reading the data directory: ${numbers.format(seen - pending)} of ${count(seen, 'file', 'files')}.`
        : 'Reading the data directory.',
      remaining !== null && remaining > 0 ? `About ${duration(remaining)} left.` : '',
    ]
      .join(' ')
      .trimEnd(),
  directoryUnavailable: 'The data directory cannot be read just now.',
  directoryUnavailableHint:
    'It may be missing, empty, or not readable for the server. Nothing is lost; this page will notice when it is back.',
  allFilesShown: 'Every file in the data directory is shown.',
  noFileWithCode: 'No file has this problem any more.',
  pathsHidden: 'Where a file lies is told to administrators only, because a path may carry a patient’s name.',
  filesNotShown: (n: number) => count(n, 'file', 'files'),
  filesRefused: (n: number) => `${count(n, 'file', 'files')} could not be used.`,
  noName: 'No patient name in this file.',
  /** Keys are the API's reasons. */
  noNameReasons: {
    absent: 'The files have no such attribute.',
    empty: 'The attribute is there and empty.',
    anonymous: 'The files were made anonymous.',
  } as Record<string, string>,
  nameShown: (name: string) => `Patient name: ${name}`,
  imageComesHere: 'The middle slice appears here.',
  loadingName: 'Asking for the patient name',
  loadingImage: 'Asking for the image',
  neighboursOffered: 'This slice was not replaced by another one. Its neighbours can be shown:',
  lastContact: (time: string) => `The server has not answered since ${time}. What is shown may be old.`,
  pageNotFound: 'There is no page at this address.',
  pageBroken: 'This page could not be shown.',
} as const;

/** What went wrong, in words. Silent errors never come here. */
export function explainError(error: unknown): Notice {
  if (error instanceof ConnectionError) return { kind: 'error', ...explainConnection(error) };
  if (error instanceof UnexpectedAnswerError) return { kind: 'error', ...explainUnexpected(error) };
  if (error instanceof ProblemError) {
    // A number to look up in the log helps where the server failed, not where it refused.
    const requestId = error.status >= 500 ? error.requestId : null;
    return { kind: 'error', requestId, ...explainProblem(error) };
  }
  return {
    kind: 'error',
    text: 'Something in this page went wrong.',
    hint: 'Reload the page and try again.',
  };
}

type Words = Pick<Notice, 'text' | 'hint'>;

function explainConnection({ kind, apiUrl }: ConnectionError): Words {
  switch (kind) {
    case 'offline':
      return { text: 'This computer is offline.', hint: 'Connect to the network, then try again.' };
    case 'unreachable':
      return {
        text: `The image server at ${apiUrl} cannot be reached.`,
        hint: 'Check that it is running, then try again.',
      };
    case 'refused-origin':
      return {
        text: `The image server at ${apiUrl} does not accept requests from ${location.origin}.`,
        hint: `Its administrator can allow this address with the setting IMAGESERVER_CORS_ORIGINS.`,
      };
    case 'interrupted':
      return { text: 'The connection broke off before the answer was complete.', hint: 'Try again.' };
    case 'timeout':
      return { text: 'The image server took too long to answer.', hint: 'Try again in a moment.' };
  }
}

function explainUnexpected({ kind, status }: UnexpectedAnswerError): Words {
  switch (kind) {
    case 'gateway':
      return {
        text: `A gateway in between answered “${status}”: it gets no answer from the image server.`,
        hint: 'Try again in a moment.',
      };
    case 'web-page':
      return {
        text: 'A web page came back instead of an answer from the image server.',
        hint: 'A proxy or a log-in page of the network may stand in between.',
      };
    case 'not-json':
      return {
        text: 'The answer could not be understood.',
        hint: 'Something in between may have changed it.',
      };
    case 'not-image':
      return { text: 'Something else than a picture came back.', hint: 'Try again.' };
    case 'damaged-image':
      return { text: 'The picture arrived incomplete and is not shown.', hint: 'Try again.' };
  }
}

const again = (seconds: number | null) =>
  seconds === null ? 'Try again later.' : `Try again in ${duration(seconds)}.`;

function explainProblem({ code, title, detail, retryAfter }: ProblemError): Words {
  switch (code) {
    case 'invalid_credentials':
      return { text: 'User name or password is wrong.' };
    case 'too_many_attempts':
      return { text: 'Too many failed attempts.', hint: again(retryAfter) };
    case 'busy':
      return { text: 'The server is busy.', hint: again(retryAfter) };
    case 'setup_done':
      return { text: 'The first account exists already.', hint: 'Log in, or ask its owner.' };
    case 'no_volume':
      return { text: messages.noVolume, hint: messages.noVolumeHint };
    case 'data_directory_unavailable':
      return { text: messages.directoryUnavailable, hint: messages.directoryUnavailableHint };
    case 'database_unavailable':
      return {
        text: 'The server’s database does not answer.',
        hint: 'Nothing is lost. Try again in a moment.',
      };
    case 'series_not_found':
      return {
        text: 'This volume is not, or no longer, in the data directory.',
        hint: 'Choose another one.',
      };
    case 'file_gone':
    case 'file_replaced':
      return { text: 'The file changed or vanished while it was read.', hint: 'Try again.' };
    case 'integrity_mismatch':
      return {
        text: 'The file is damaged on the disk; it is not shown, because it could show something wrong.',
        hint: 'It comes back when an administrator restores it from a backup.',
      };
    case 'origin_not_allowed':
      return {
        text: `The image server does not accept requests from ${location.origin}.`,
        hint: 'Its administrator can allow this address with the setting IMAGESERVER_CORS_ORIGINS.',
      };
    case 'internal':
      return {
        text: 'Something in the server went wrong.',
        hint: 'Its log tells more under the number below.',
      };
    default:
      return { text: detail || title || 'The server refused.' };
  }
}
