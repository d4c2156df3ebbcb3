/**
 * A fetch of one file that may be so large and no larger. A file that says it is larger is refused as HTTP 413; one
 * that turns out to be breaks off, and is refused when it is asked for again.
 */
export function cappedFetch(inner: typeof fetch, mostBytes: number): typeof fetch {
  let over = false;
  const refusal = () =>
    new Response(null, { status: 413, statusText: `must be at most ${mostBytes} bytes, is larger` });
  return async (input, init) => {
    if (over) return refusal();
    const response = await inner(input, init);
    const { status, statusText, headers, body } = response;
    let bytes = Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? 0);
    if (!body) return response;
    if (bytes + Number(headers.get("content-length") ?? 0) > mostBytes) {
      await body.cancel();
      return refusal();
    }
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        bytes += piece.length;
        over ||= bytes > mostBytes;
        if (over) controller.error(new Error(refusal().statusText));
        else controller.enqueue(piece);
      },
    });
    return new Response(body.pipeThrough(count), { status, statusText, headers });
  };
}
