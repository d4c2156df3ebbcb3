/** A place to download from: what to ask, who may be told the password, and what to call it. */
export interface Place {
  /** Without user and password. */
  readonly url: URL;
  /** For this origin alone. */
  readonly authorization: string | undefined;
}

/** Splits user and password off a URL: fetch refuses a URL that has them. */
export function placeOf(text: string): Place {
  const url = new URL(text);
  const { username, password } = url;
  if (username === "" && password === "") return { url, authorization: undefined };
  url.username = "";
  url.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** A URL as it may be shown and written down: without user and password. */
export function shownUrl(text: string): string {
  return placeOf(text).url.href;
}

/** Where a redirect led, as it may be shown: its query is often a signature that opens the file to anybody. */
export function shownTarget({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search && "?…"}`;
}

/** The name of the file at a URL; `undefined` where it has none that can be one segment of a path. */
export function fileNameOf(url: string): string | undefined {
  const name = decoded(new URL(url).pathname.replace(/^.*\//, ""));
  return name === "" || name.startsWith(".") || /[/\\\p{Cc}]/u.test(name) ? undefined : name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is no escape: the name is as it stands.
    return text;
  }
}
