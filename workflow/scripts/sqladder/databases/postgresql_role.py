"""What a PostgreSQL role may do beside reading: no role should, with which a model's answers are executed.

Queries run in a read-only transaction that is rolled back, so most of these rights would not help them; but one mistake
of ours, or of the server, should not be enough.
"""

from collections.abc import Iterator
from typing import Any

import psycopg

WAY_OUT = (
    "connect with a role of its own, made by CREATE ROLE reader LOGIN PASSWORD '...'; GRANT USAGE ON SCHEMA public TO "
    "reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; and, where everybody may create tables, REVOKE "
    "CREATE ON SCHEMA public FROM PUBLIC"
)

_ATTRIBUTES = """
    SELECT word FROM pg_roles, LATERAL (VALUES
        (rolsuper, 'is a superuser'), (rolcreaterole, 'may create roles'), (rolcreatedb, 'may create databases'),
        (rolreplication, 'may replicate')) power(has, word)
    WHERE has AND pg_has_role(current_user, pg_roles.oid, 'MEMBER')
"""
_GROUPS = """
    SELECT 'is a member of ' || rolname FROM pg_roles
    WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data',
                      'pg_database_owner', 'pg_maintain', 'pg_signal_backend', 'pg_checkpoint',
                      'pg_create_subscription')
    AND pg_has_role(current_user, oid, 'MEMBER')
"""
# Those of pg_file_... come with an extension, in any schema.
_FILE_FUNCTIONS = """
    SELECT DISTINCT 'may call ' || proname FROM pg_proc
    WHERE has_function_privilege(oid, 'EXECUTE') AND has_schema_privilege(pronamespace, 'USAGE')
    AND (proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', 'lo_export')
         OR proname IN ('pg_file_write', 'pg_file_rename', 'pg_file_unlink', 'pg_file_sync'))
"""
# What is stable or immutable writes nothing. A language that is not trusted reaches files and programs.
_OTHER_FUNCTIONS = """
    SELECT 'may call ' || n.nspname || '.' || p.proname || CASE WHEN p.prosecdef
        THEN ', which has the rights of its owner' ELSE ', which is written in ' || l.lanname END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND (p.prosecdef AND p.provolatile = 'v' OR NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c'))
    AND has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE')
    ORDER BY p.oid
"""
# Not of pg_temp, whose tables end with the session.
_TABLES = """
    SELECT 'may write ' || n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname != 'information_schema'
    AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
         OR has_any_column_privilege(c.oid, 'INSERT, UPDATE') OR pg_has_role(current_user, c.relowner, 'MEMBER'))
    ORDER BY c.oid
"""
_SEQUENCES = """
    SELECT 'may advance ' || n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE') ELSE false END
    ORDER BY c.oid
"""
_SCHEMAS = """
    SELECT 'may create tables in the schema ' || nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')
"""
_DATABASE = """
    SELECT 'may create schemas in the database ' || current_database()
    WHERE has_database_privilege(current_database(), 'CREATE')
"""
_QUERIES = (
    _ATTRIBUTES,
    _GROUPS,
    _FILE_FUNCTIONS,
    _OTHER_FUNCTIONS,
    _TABLES,
    _SEQUENCES,
    _SCHEMAS,
    _DATABASE,
)
_SHOWN = 3


def powers(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """What the role of a connection may do beside reading, in words; of each kind the first ones."""
    for query in _QUERIES:
        found = [word for (word,) in connection.execute(query).fetchall()]
        yield from found[:_SHOWN]
        if len(found) > _SHOWN:
            yield f"and {len(found) - _SHOWN} more of this kind"
