//! Formats: this dialect has a word where others have a media type.

/// Which kind of media a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Document,
    Video,
    Audio,
}

/// The first row of a type or of a word counts: types have several names.
const FORMATS: [(Kind, &str, &str); 45] = [
    (Kind::Image, "png", "image/png"),
    (Kind::Image, "jpeg", "image/jpeg"),
    (Kind::Image, "jpeg", "image/jpg"),
    (Kind::Image, "gif", "image/gif"),
    (Kind::Image, "webp", "image/webp"),
    (Kind::Document, "pdf", "application/pdf"),
    (Kind::Document, "csv", "text/csv"),
    (Kind::Document, "doc", "application/msword"),
    (Kind::Document, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (Kind::Document, "xls", "application/vnd.ms-excel"),
    (Kind::Document, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (Kind::Document, "html", "text/html"),
    (Kind::Document, "txt", "text/plain"),
    (Kind::Document, "md", "text/markdown"),
    (Kind::Document, "txt", "application/json"),
    (Kind::Document, "txt", "application/xml"),
    (Kind::Video, "mp4", "video/mp4"),
    (Kind::Video, "mov", "video/quicktime"),
    (Kind::Video, "mkv", "video/x-matroska"),
    (Kind::Video, "webm", "video/webm"),
    (Kind::Video, "flv", "video/x-flv"),
    (Kind::Video, "mpeg", "video/mpeg"),
    (Kind::Video, "mpg", "video/mpg"),
    (Kind::Video, "wmv", "video/x-ms-wmv"),
    (Kind::Video, "three_gp", "video/3gpp"),
    (Kind::Audio, "mp3", "audio/mp3"),
    (Kind::Audio, "mp3", "audio/mpeg"),
    (Kind::Audio, "wav", "audio/wav"),
    (Kind::Audio, "wav", "audio/x-wav"),
    (Kind::Audio, "wav", "audio/wave"),
    (Kind::Audio, "opus", "audio/opus"),
    (Kind::Audio, "aac", "audio/aac"),
    (Kind::Audio, "flac", "audio/flac"),
    (Kind::Audio, "flac", "audio/x-flac"),
    (Kind::Audio, "mp4", "audio/mp4"),
    (Kind::Audio, "ogg", "audio/ogg"),
    (Kind::Audio, "m4a", "audio/m4a"),
    (Kind::Audio, "m4a", "audio/x-m4a"),
    (Kind::Audio, "webm", "audio/webm"),
    (Kind::Audio, "mkv", "audio/x-matroska"),
    (Kind::Audio, "mka", "audio/mka"),
    (Kind::Audio, "mpga", "audio/mpga"),
    (Kind::Audio, "pcm", "audio/pcm"),
    (Kind::Audio, "pcm", "audio/pcm16"),
    (Kind::Audio, "x-aac", "audio/x-aac"),
];

/// The word for a media type.
pub(super) fn format(kind: Kind, media_type: &str) -> Option<&'static str> {
    let known = |row: &&(Kind, &str, &str)| row.0 == kind && row.2.eq_ignore_ascii_case(media_type);
    let known = FORMATS.iter().find(known).map(|row| row.1);
    // Every other text is one all the same.
    known.or_else(|| (kind == Kind::Document && media_type.starts_with("text/")).then_some("txt"))
}

/// The media type for a word.
pub(super) fn media_type(kind: Kind, format: &str) -> Option<&'static str> {
    FORMATS.iter().find(|row| row.0 == kind && row.1 == format).map(|row| row.2)
}

/// What base64 begins with, by which files name their kind.
pub(super) fn seen(kind: Kind, base64: &str) -> Option<&'static str> {
    const BEGINS: [(Kind, &str, &str); 6] = [
        (Kind::Image, "iVBOR", "png"),
        (Kind::Image, "/9j/", "jpeg"),
        (Kind::Image, "R0lG", "gif"),
        (Kind::Image, "UklG", "webp"),
        (Kind::Document, "JVBERi", "pdf"),
        (Kind::Audio, "UklG", "wav"),
    ];
    BEGINS.iter().find(|row| row.0 == kind && base64.starts_with(row.1)).map(|row| row.2)
}
