import { ContainerConfig } from "../proto.js";
import { invalid, maxUint32 } from "./check.js";

/**
 * The config of the container that replaces one that ended: the same with the next attempt number, since runtimes reserve name
 * and attempt. A log path that ends in the old number (`web.0.log`, a kubelet's `web/0.log`) gets the new one, so that no
 * container writes into another's log; any other log path stays.
 */
export function nextAttempt(config: ContainerConfig): ContainerConfig {
  const next = ContainerConfig.fromPartial(config);
  const attempt = config.metadata?.attempt ?? 0;
  if (attempt >= maxUint32) invalid("config.metadata.attempt", "cannot be counted up", attempt);
  next.metadata = { name: config.metadata?.name ?? "", attempt: attempt + 1 };
  const ending = new RegExp(`(^|[./])${attempt}\\.log$`);
  next.logPath = config.logPath.replace(ending, `$1${attempt + 1}.log`);
  return next;
}
