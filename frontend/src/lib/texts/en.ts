/**
 * Every text that the pages show, in English: the one file that a translation copies and replaces. One section for
 * each part of the pages; a text with a number or a name in it is a function of it. A number gets its word by
 * `amount`, which knows the plurals of the language.
 */
import { amounts, formatNumber, roundUpTime } from './formats';

const amount = amounts('en');

const duration = (seconds: number) => {
  const { unit, n } = roundUpTime(seconds);
  return amount(n, { one: unit, other: `${unit}s` });
};

export const en = {
  /** What several pages say. */
  common: {
    product: 'Medical Image Server',
    version: (version: string) => `Version ${version}`,
    notForDiagnosis: 'Not for diagnostic use',
    title: (page: string) => `${page} – Medical Image Server`,
    skip: 'Skip to the content',
    tryAgain: 'Try again',
    cancel: 'Cancel',
    close: 'Close',
    showMore: 'Show more',
    oneMoment: 'One moment…',
    shownOf: (shown: number, total: number) => `${formatNumber(shown)} of ${formatNumber(total)}`,
    slices: (n: number) => amount(n, { one: 'slice', other: 'slices' }),
    files: (n: number) => amount(n, { one: 'file', other: 'files' }),
    /** Stands where a value is missing. */
    none: '–',
    noDescription: 'No description',
    noPatientName: 'No patient name',
    request: 'Request',
    /** Kinds of notices, said before them. */
    error: 'Error',
    warning: 'Warning',
    done: 'Done',
    note: 'Note',
  },

  /** The frame of the pages that somebody signed in sees. */
  header: {
    home: 'Medical Image Server, dashboard',
    navigation: 'Pages',
    dashboard: 'Dashboard',
    studies: 'Studies',
    accountOf: 'Account of',
    roles: { admin: 'Administrator', reader: 'Reader' } as Record<string, string>,
    signedInUntil: (time: string) => `signed in until ${time}`,
    keys: 'Keys N and I',
    changePassword: 'Change password…',
    logOutEverywhere: 'Log out everywhere',
    logOut: 'Log out',
    loggingOut: 'Logging out…',
  },

  /** Log-in, set-up and change of password. */
  entry: {
    logIn: 'Log in',
    loggingIn: 'Logging in…',
    username: 'User name',
    password: 'Password',
    show: 'Show',
    hide: 'Hide',
    showPassword: (label: string) => `Show ${label.toLowerCase()}`,
    capsLock: 'Caps Lock is on.',
    usernameMissing: 'Type your user name.',
    passwordMissing: 'Type your password.',
    setupRequired: 'This server has no account yet.',
    setupRequiredHint:
      'Its log shows a one-time set-up link, a line with “/setup#code=”. Open that link to create the first account.',
    differentSite: (pageHost: string, apiHost: string) =>
      `This page was opened at ${pageHost}, but its server is at ${apiHost}. Browsers keep these two apart, so a log-in would not last.`,
    differentSiteHint: (apiHost: string) => `Open this page at ${apiHost}, or change IMAGESERVER_API_URL.`,
    createFirstAccount: 'Create the first account',
    createAccount: 'Create the account',
    creatingAccount: 'Creating the account…',
    firstAccountHint: 'This account administers the server. The link works once.',
    goToLogIn: 'Go to the log-in',
    passwordAgain: 'Password again',
    newPasswordMissing: 'Choose a password.',
    passwordHint: (shortest: number | null) =>
      `${shortest ? `At least ${amount(shortest, { one: 'character', other: 'characters' })}. ` : ''}Long beats complicated: a few unrelated words are good. Spaces and pasting are fine.`,
    passwordsDiffer: 'The two passwords are not the same.',
    codeMissing: 'This page needs the whole set-up link, with the code at its end.',
    codeMissingHint: 'Copy the link from the server’s log again.',
    changePassword: 'Change password',
    changing: 'Changing…',
    presentPassword: 'Present password',
    presentPasswordMissing: 'Type your present password.',
    newPassword: 'New password',
  },

  /** Addresses without a page, and pages that cannot be shown. */
  missing: {
    notFoundTitle: 'Page not found',
    notFound: 'There is no page at this address.',
    brokenTitle: 'Cannot show this page',
    broken: 'This page could not be shown.',
    goToDashboard: 'Go to the dashboard',
  },

  /** What went wrong, by what the server or the connection said. */
  problems: {
    again: (seconds: number | null) =>
      seconds === null ? 'Try again later.' : `Try again in ${duration(seconds)}.`,
    tryAgain: 'Try again.',
    tryAgainSoon: 'Try again in a moment.',
    offline: 'This computer is offline.',
    offlineHint: 'Connect to the network, then try again.',
    unreachable: (api: string) => `The image server at ${api} cannot be reached.`,
    unreachableHint: 'Check that it is running, then try again.',
    refusedOrigin: (api: string, page: string) =>
      `The image server at ${api} does not accept requests from ${page}.`,
    originNotAllowed: (page: string) => `The image server does not accept requests from ${page}.`,
    originHint: 'Its administrator can allow this address with the setting IMAGESERVER_CORS_ORIGINS.',
    interrupted: 'The connection broke off before the answer was complete.',
    timeout: 'The image server took too long to answer.',
    gateway: (status: number) =>
      `A gateway in between answered “${status}”: it gets no answer from the image server.`,
    webPage: 'A web page came back instead of an answer from the image server.',
    webPageHint: 'A proxy or a log-in page of the network may stand in between.',
    notUnderstood: 'The answer could not be understood.',
    notUnderstoodHint: 'Something in between may have changed it.',
    notImage: 'Something else than a picture came back.',
    damagedImage: 'The picture arrived incomplete and is not shown.',
    wrongCredentials: 'User name or password is wrong.',
    tooManyAttempts: 'Too many failed attempts.',
    busy: 'The server is busy.',
    setupDone: 'The first account exists already.',
    setupDoneHint: 'Log in, or ask its owner.',
    noVolume: 'No DICOM volume found in the data directory.',
    noVolumeHint: 'Put DICOM files into it; this page will notice.',
    directoryUnavailable: 'The data directory cannot be read just now.',
    directoryUnavailableHint:
      'It may be missing, empty, or not readable for the server. Nothing is lost; this page will notice when it is back.',
    databaseUnavailable: 'The server’s database does not answer.',
    databaseUnavailableHint: 'Nothing is lost. Try again in a moment.',
    seriesNotFound: 'This volume is not, or no longer, in the data directory.',
    seriesNotFoundHint: 'Choose another one.',
    fileChanged: 'The file changed or vanished while it was read.',
    integrityMismatch:
      'The file is damaged on the disk; it is not shown, because it could show something wrong.',
    integrityMismatchHint: 'It comes back when an administrator restores it from a backup.',
    internal: 'Something in the server went wrong.',
    internalHint: 'Its log tells more under the number below.',
    refused: 'The server refused.',
    pageMistake: 'Something in this page went wrong.',
    pageMistakeHint: 'Reload the page and try again.',
    lastContact: (time: string) => `The server has not answered since ${time}. What is shown may be old.`,
  },

  /** The page with the two buttons. */
  dashboard: {
    title: 'Dashboard',
    showName: 'Show patient name',
    showImage: 'Show image',
    volume: 'Volume',
    chooseFrom: (n: number) => `Choose from ${formatNumber(n)}`,
    chooseVolume: 'Choose a volume',
    showDefault: 'Show the default volume',
    reading: 'Reading the data directory',
    readingFiles: (read: number, seen: number) =>
      seen > 0
        ? `Reading the data directory: ${formatNumber(read)} of ${amount(seen, { one: 'file', other: 'files' })}.`
        : 'Reading the data directory.',
    timeLeft: (seconds: number) => `About ${duration(seconds)} left.`,
    filesRefused: (n: number) => `${amount(n, { one: 'file', other: 'files' })} could not be used.`,
  },

  /** The patient of a series. */
  patient: {
    title: 'Patient',
    loading: 'Asking for the patient name',
    nameShown: (name: string) => `Patient name: ${name}`,
    noName: 'No patient name in this file.',
    /** Keys are the API's reasons. */
    noNameReasons: {
      absent: 'The files have no such attribute.',
      empty: 'The attribute is there and empty.',
      anonymous: 'The files were made anonymous.',
    } as Record<string, string>,
    severalNames: 'The files of this series name more than one patient.',
    id: 'Patient ID',
    born: 'Born',
    sex: 'Sex',
    /** Keys are DICOM's (0010,0040). */
    sexes: { M: 'Male', F: 'Female', O: 'Other' } as Record<string, string>,
    asWritten: 'As the file writes it',
    raw: 'Raw',
    groups: { alphabetic: 'Alphabetic', ideographic: 'Ideographic', phonetic: 'Phonetic' },
    parts: { family: 'Family', given: 'Given', middle: 'Middle', prefix: 'Prefix', suffix: 'Suffix' },
  },

  /** A slice that the server drew, and the way through its neighbours. */
  image: {
    title: 'Image',
    picture: 'Picture',
    comesHere: 'The middle slice appears here.',
    loading: 'Asking for the image',
    alternative: (modality: string) => `${modality} image`,
    slice: 'Slice',
    previous: 'Previous slice',
    next: 'Next slice',
    sliceNumber: (n: number) => `Slice ${formatNumber(n)}`,
    sliceOf: (n: number, count: number) => `Slice ${formatNumber(n)} of ${formatNumber(count)}`,
    /** Keys are the API's. */
    orderings: {
      position: 'ordered by position',
      instance_number: 'ordered by instance number',
    } as Record<string, string>,
    /** Where a window comes from; keys are the API's. */
    windowSources: {
      file: 'from the file',
      request: 'chosen',
      guessed: 'guessed from the pixels',
    } as Record<string, string>,
    /** Width and level as radiology writes them. */
    windowValues: (width: string, level: string) => `W ${width} L ${level}`,
    window: 'Window',
    overlays: 'Overlays',
    stackNumber: (n: number) => `Stack ${formatNumber(n)}`,
    middleOf: 'Middle of',
    wholeSeries: 'Whole series',
    whyThisSlice: 'Why this slice?',
    remarks: (n: number) => amount(n, { one: 'remark', other: 'remarks' }),
    neighboursOffered: 'This slice was not replaced by another one. Its neighbours can be shown:',
  },

  /** The files that are not shown. */
  files: {
    title: 'Files not shown',
    breadcrumb: 'Breadcrumb',
    loading: 'Asking for the files',
    list: 'Files',
    kinds: 'Kind of problem',
    allKinds: 'All files that are not shown',
    allShown: 'Every file in the data directory is shown.',
    noneOfKind: 'No file has this problem any more.',
    pathsHidden:
      'Where a file lies is told to administrators only, because a path may carry a patient’s name.',
    order: 'Order',
    orders: {
      path: 'Path',
      '-read_at': 'Last noticed',
      '-modified': 'Last changed',
      '-size': 'Largest',
    },
    itsSeries: 'Its series',
  },

  /** The list of studies. */
  studies: {
    title: 'Studies',
    loading: 'Asking for the studies',
    counted: (n: number) => amount(n, { one: 'study', other: 'studies' }),
    series: (n: number) => amount(n, { one: 'series', other: 'series' }),
    of: (first: number, last: number, total: number) =>
      `${formatNumber(first)}–${formatNumber(last)} of ${formatNumber(total)}`,
    openInViewer: 'Open in the viewer',
    withEscape: (what: string) => `${what} (Esc)`,

    search: {
      label: 'Search studies',
      placeholder: 'Name, ID, accession or description',
      hint: 'Words that begin a word of the name in any script, the ID, the accession number or a description.',
      clear: 'Clear the search',
    },

    filters: {
      label: 'Filters',
      modality: 'Modality',
      date: 'Date',
      verdict: 'Verdict',
      any: 'Any',
      remove: (name: string) => `Remove the filter ${name}`,
      clearAll: 'Clear all',
      more: (first: string, others: number) => `${first} +${formatNumber(others)}`,
      presets: { today: 'Today', '7d': 'Last 7 days', '30d': 'Last 30 days', year: 'Last 12 months' },
      from: 'From',
      to: 'To',
      since: (day: string) => `since ${day}`,
      until: (day: string) => `until ${day}`,
      between: (from: string, to: string) => `${from} – ${to}`,
      apply: 'Apply',
      otherModality: 'Another modality',
      add: 'Add',
    },

    columns: {
      thumbnail: 'Picture',
      patient_name: 'Patient',
      patient_id: 'Patient ID',
      description: 'Description',
      modality: 'Modality',
      study_date: 'Date',
      series_count: 'Series',
      slice_count: 'Slices',
      accession_number: 'Accession',
      verdict: 'Verdict',
    },
    ascending: 'ascending',
    descending: 'descending',
    sortBy: (column: string) => `Sort by ${column}`,
    order: 'Order',
    reverse: 'Reverse the order',

    pages: {
      label: 'Pages',
      first: 'First page',
      previous: 'Previous page',
      next: 'Next page',
      last: 'Last page',
      size: 'Studies per page',
      here: (page: number, pages: number) => `Page ${formatNumber(page)} of ${formatNumber(pages)}`,
    },

    verdicts: {
      volume: 'Volume',
      volume_variable_spacing: 'Uneven volume',
      volume_tilted: 'Tilted volume',
      volume_4d: '4D volume',
      localizer: 'Localizer',
      cine: 'Cine',
      single_image: 'Single image',
      no_geometry: 'No geometry',
      empty: 'No pictures',
    } as Record<string, string>,
    verdictMeanings: {
      volume: 'Parallel slices at even distances.',
      volume_variable_spacing: 'Parallel slices at distances that differ, or with gaps.',
      volume_tilted: 'Parallel slices that are sheared against each other, as by a tilted gantry.',
      volume_4d: 'The same volume several times, such as phases or echoes.',
      localizer: 'Images in several directions, as for planning.',
      cine: 'Frames in time, at one place.',
      single_image: 'One image.',
      no_geometry: 'Images that do not say where they lie in the patient.',
      empty: 'No series of this study has pictures.',
    } as Record<string, string>,

    thumbnail: {
      of: (what: string) => `Middle slice, ${what}`,
      withoutPictures: 'This study has no pictures.',
      notMade: 'No small picture could be made of this study.',
      failed: (reason: string) => `The small picture is missing. ${reason}`,
    },

    keys: {
      label: 'Keys',
      move: 'Move',
      open: 'Open',
      preview: 'Preview',
      page: 'Page',
      search: 'Search',
      enter: 'Enter',
      space: 'Space',
    },

    status: {
      news: (added: number) =>
        added > 0
          ? `${amount(added, { one: 'new study', other: 'new studies' })} came in.`
          : 'The list has changed.',
      showNews: 'Show',
      old: (time: string) => `These studies are as of ${time}.`,
    },

    empty: {
      title: 'No studies yet',
      ready: 'The data directory holds no DICOM files. Put some in; this page will notice.',
      building: 'The data directory is being read. Studies appear here as they are found.',
      unavailable: 'Studies come back as soon as the server can read the folder again.',
      refused: (n: number) => `${amount(n, { one: 'file', other: 'files' })} could not be used. See why`,
    },
    noMatch: {
      title: 'No study matches',
      text: (text: string) => `Nothing begins with “${text}”`,
      withFilters: ', together with the filters.',
      clearText: 'Clear the search',
      clearFilters: 'Remove the filters',
      clearAll: 'Show all studies',
      withoutFilters: (n: number) =>
        `Without the filters, ${amount(n, { one: 'study matches', other: 'studies match' })}.`,
      pageBehindEnd: 'This page lies behind the end of the list.',
      toFirst: 'Go to the first page',
    },
    failed: 'The studies could not be loaded',

    preview: {
      label: 'Preview',
      of: (name: string) => `Preview of the study of ${name}`,
      close: 'Close the preview',
      loading: 'Asking for the study',
      loadingPicture: 'Asking for the middle slice',
      patient: 'Patient',
      study: 'Study',
      patientId: 'Patient ID',
      born: 'Born',
      sex: 'Sex',
      sexes: { M: 'Male', F: 'Female', O: 'Other' } as Record<string, string>,
      date: 'Date',
      accession: 'Accession',
      uid: 'Study UID',
      seriesTitle: (n: number) => `Series (${formatNumber(n)})`,
      seriesNumber: (n: number) => `Series ${formatNumber(n)}`,
      otherTitle: (n: number) => `Other studies of this patient (${formatNumber(n)})`,
      noOther: 'No other study of this patient.',
      copy: (what: string) => `Copy the ${what}`,
      copied: (what: string) => `${what} copied`,
      notCopied: 'This browser does not let the page copy.',
      shown: 'shown above',
      notOpenable: 'There is nothing in this study that the viewer could show.',
      pictureOf: (index: number, total: number) => `slice ${formatNumber(index)} of ${formatNumber(total)}`,
    },
  },

  /** The viewer: its frame, cells, corners, strip and links. */
  viewer: {
    title: 'Viewer',
  },

  /** What the tools of the viewer are called, and the sheet of shortcuts. */
  tools: {
    shortcuts: 'Keyboard shortcuts',
  },

  /** Lengths, angles, regions and arrows. */
  measurements: {
    title: 'Measurements',
  },

  /** Multiplanar reformatting. */
  planes: {
    axial: 'Axial',
    coronal: 'Coronal',
    sagittal: 'Sagittal',
  },

  /** How sessions end, and how work goes on after one that ended by itself. */
  session: {
    title: 'Log in again',
    loggedOut: 'You are logged out.',
    loggedOutEverywhere: 'You are logged out, here and in every other browser.',
    loggedOutElsewhere: 'You are logged out: another tab logged out.',
    loggedOutOnlyHere: 'You are logged out in this browser, but the server could not be told.',
    loggedOutOnlyHereHint: 'Its session may last a while longer. Try again when the server can be reached.',
    ended: 'Your session has ended.',
    endedHint: 'Log in again to go on where you were.',
    /** The dialog over a page whose session ended by itself. */
    kept: 'Your session has ended. What you had open is kept; log in to go on.',
    otherUserHint: 'Somebody else who logs in here starts afresh.',
    leave: 'Leave',
    startedAfresh: (username: string) =>
      `You are logged in as ${username}. What was open here before is closed.`,
    otherUser: (username: string) => `This tab now belongs to ${username}, who logged in in another tab.`,
    passwordChanged: 'Your password is changed. Every other session of yours has ended.',
    accountCreated: (username: string) => `The account ${username} exists now. Log in with it.`,
  },
};

export type Texts = typeof en;
