/** PostgreSQL's text holds neither U+0000 nor half a surrogate pair; a build's log may have both. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
