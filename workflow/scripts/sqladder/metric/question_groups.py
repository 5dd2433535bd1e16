"""Which questions are right or wrong together, so that they count as one wherever something is claimed of them."""

import hashlib


def question_group(db_id: str, sql: str, own: str = "") -> str:
    """The name of a question's group, the same in every file.

    Args:
        db_id: its database.
        sql: its gold query; questions that share it, up to case and space, and the database are wordings of one.
        own: the group that the data set gives it, or its conversation; "" without either.
    """
    if own:
        return own
    folded = f"{db_id}\n{' '.join(sql.split())}".casefold()
    return f"query {hashlib.sha256(folded.encode()).hexdigest()[:12]}"
