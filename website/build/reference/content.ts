/**
 * Chooses and sorts what the reference contains.
 *
 * @module
 */
import {
  type Application,
  Comment,
  CommentTag,
  Converter,
  type DeclarationReflection,
  type ProjectReflection,
  ReflectionKind,
} from "typedoc";
import { entryPoints } from "./entry-points.js";

/** Registers the rules of this file. */
export function chooseContent(app: Application): void {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      if (module.name === "k8s-cri-client/proto") leaveOutCompanions(module, project);
      addSections(module);
    }
    leaveOutCallOptions(project);
  });
}

/**
 * Leaves out what ts-proto generates for every message and enum alike: a constant with the name of the message, types of the
 * entries of maps, and functions that convert the enum from and to JSON. They would be half of all pages. The page of the entry
 * point describes them once.
 */
function leaveOutCompanions(proto: DeclarationReflection, project: ProjectReflection): void {
  const messages = proto.getChildrenByKind(ReflectionKind.Interface);
  const names = new Set(messages.map(({ name }) => name));
  const generated = proto.getChildrenByKind(ReflectionKind.Variable | ReflectionKind.Function);
  const companions = generated.filter(({ name }) => names.has(name) || /(From|To)JSON$/.test(name));
  const entries = messages.filter(({ name }) => /_\w+Entry$/.test(name));
  for (const companion of [...companions, ...entries]) project.removeReflection(companion);
}

/** Leaves out the fields of `CallOptions` in the options that extend them, which link to their page. */
function leaveOutCallOptions(project: ProjectReflection): void {
  const interfaces = project.getReflectionsByKind(ReflectionKind.Interface) as DeclarationReflection[];
  const placeOf = ({ sources: [source] = [] }: DeclarationReflection) => `${source?.fullFileName}:${source?.line}`;
  const callOptions = interfaces.find(({ name }) => name === "CallOptions");
  const places = new Set(callOptions?.children?.map(placeOf));
  for (const options of interfaces) {
    if (options === callOptions) continue;
    // A field that the options describe themselves has a place of its own.
    for (const field of [...(options.children ?? [])]) if (places.has(placeOf(field))) project.removeReflection(field);
  }
}

/**
 * Sorts the exports of an entry point into the sections of its source. Re-exports of another entry point have their own section,
 * because they have no page there, and the theme would not list the pages of a section with them.
 */
function addSections(module: DeclarationReflection): void {
  const { sections } = entryPoints.find(({ name }) => name === module.name) ?? { sections: [] };
  for (const [section, names] of sections) {
    const exported = new Set(names);
    for (const child of module.children ?? []) {
      if (exported.has(child.name) && child.kind !== ReflectionKind.Reference) addCategory(child, section);
    }
  }
}

/** The comment of a function belongs to its signatures, where TypeDoc reads its category. */
function addCategory(child: DeclarationReflection, category: string): void {
  for (const reflection of child.signatures ?? [child]) {
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: category }]));
  }
}
