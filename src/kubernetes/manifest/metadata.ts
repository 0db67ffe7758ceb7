/** The metadata of an object that this package uses. */
export interface ManifestMetadata {
  /** The name; a DNS subdomain, at most 253 characters. */
  name: string;
  /** The namespace; a DNS label. @defaultValue "default" */
  namespace?: string | undefined;
  /** The object's uid. @defaultValue for pods, an id derived from the document */
  uid?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
}
