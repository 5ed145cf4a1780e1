/**
 * Every text that the pages show, in English: the one file that a translation copies and replaces. One section for
 * each part of the pages; a text with a number or a name in it is a function of it.
 */
export const en = {
  /** The list of studies. */
  studies: {
    title: 'Studies',
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

  /** Sessions that end while somebody works. */
  session: {
    title: 'Log in again',
  },
};

export type Texts = typeof en;
