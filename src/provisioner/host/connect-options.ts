/** How far a connection came. */
export type SshStage = "tcp" | "greeting" | "host key" | "login";

/** How long to wait, and how to be stopped. Times in milliseconds. */
export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** For the TCP connection; 15 000 when left out. */
  readonly connectTimeoutMs?: number;
  /** For greeting, key exchange and login together; 30 000 when left out. */
  readonly handshakeTimeoutMs?: number;
  /** Between two signs of life asked of the server, and how many may go unanswered; 15 000 and 3. */
  readonly keepAliveMs?: number;
  readonly keepAliveCount?: number;
  /** Told how far the connection to the target itself came. */
  readonly onStage?: (stage: SshStage) => void;
}
