import { invalid, maxUint32 } from "../input/check.js";
import { ContainerConfig } from "../proto.js";

/**
 * Copies the configuration of a container with the next attempt number, because runtimes reserve name and attempt. A log path
 * that ends in the old number (`web.0.log`, a kubelet's `web/0.log`) gets the new number, so that no container writes into
 * another's log. Other log paths stay the same.
 */
export function nextAttempt(config: ContainerConfig): ContainerConfig {
  const next = ContainerConfig.fromPartial(config);
  const attempt = config.metadata?.attempt ?? 0;
  if (attempt >= maxUint32)
    invalid("config.metadata.attempt", `must be less than ${maxUint32} for a next attempt`, attempt);
  next.metadata = { name: config.metadata?.name ?? "", attempt: attempt + 1 };
  const ending = new RegExp(`(^|[./])${attempt}\\.log$`);
  next.logPath = config.logPath.replace(ending, `$1${attempt + 1}.log`);
  return next;
}
