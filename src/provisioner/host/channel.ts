/** A program on the far side: bytes in, bytes out. */
export interface Channel {
  /** Resolves when the bytes are taken; rejects with `HostLost` when the channel is or gets closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Standard output as it comes. One listener; bytes before it are kept for it. */
  onOutput(listener: (bytes: Buffer) => void): void;
  /** Resolves with the reason once the channel is closed, by whoever; never rejects. */
  readonly closed: Promise<string>;
  /** Last bytes the program wrote on standard error, for messages. */
  stderrTail(): string;
  close(): void;
}

/** A connection that carries channels and files. */
export interface Connection extends AsyncDisposable {
  /** Starts a program; `line` is one POSIX shell line for the login shell. */
  open(line: string): Promise<Channel>;
  /** Copies a local file to an absolute path on the far side, mode 0600. */
  upload(localPath: string, remotePath: string, signal: AbortSignal): Promise<void>;
}
