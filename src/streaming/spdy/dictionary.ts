/*
 * The compression dictionary with which both ends of a SPDY/3 connection start. It is a constant of the protocol: every byte
 * matters, and each end sends its checksum in its first header block.
 */

/** In the dictionary, the length of each word precedes it in four bytes, as in a header block. */
const words = [
  ..."options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age".split(
    " ",
  ),
  ..."allow authorization cache-control connection content-base content-encoding content-language".split(" "),
  ..."content-length content-location content-md5 content-range content-type date etag expect expires from".split(" "),
  ..."host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location".split(" "),
  ..."max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te".split(" "),
  ..."trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status".split(" "),
  ...["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"],
];

/** Concatenated without lengths. */
const phrases = [
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505",
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized",
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable",
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,",
  "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
];

/** The dictionary of SPDY/3 and SPDY/3.1: 1423 bytes. */
export const headerDictionary: Buffer = Buffer.concat([
  ...words.flatMap((word) => [Buffer.from([0, 0, 0, word.length]), Buffer.from(word, "latin1")]),
  Buffer.from(phrases.join(""), "latin1"),
]);

/** Adler-32 of {@link headerDictionary}, which identifies it in a zlib stream. */
export const headerDictionaryId = 0xe3c6a7c2;
