import journeys from './playwright.config';

/** `npm run screenshots`: takes the pictures of the documents, of the sample volume and nothing else. */
export default { ...journeys, testDir: 'screenshots', retries: 0 };
