import type { TagList } from './keep.ts';

/** Tags separated by commas, spaces around them dropped. An empty text is [''], which stands for no tags at all. */
export function parseTagList(text: string): TagList {
  return text.split(',').map((tag) => tag.trim());
}

/** Whether a snapshot has all tags of the list. */
export function hasTags(tags: readonly string[], list: TagList): boolean {
  for (const wanted of list) {
    if (wanted === '' && tags.length === 0) return true;
    if (!tags.includes(wanted)) return false;
  }
  return true;
}
