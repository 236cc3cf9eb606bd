"""Text that Postgres takes."""


def storable(text: str) -> str:
    """The text with a replacement character for each NUL and each half of a character (lone surrogate).

    JSON can carry both, Postgres keeps neither, save as escapes in a column of type `json`.
    """
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
