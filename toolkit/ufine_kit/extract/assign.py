"""Which box belongs to which track: the pairs that gain most together, found piece by piece, since most boxes stand alone."""

from __future__ import annotations

import numpy as np

_NEVER = float("inf")


def assign(cost: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Pairs of row and column with the largest sum of `limit - cost`; pairs that cost `limit` or more are never made.

    `cost` [n, m] falls into pieces that share no possible pair; each is solved alone (Hungarian method, Kuhn 1955).
    """
    possible = np.argwhere(cost < limit).tolist()
    if len({i for i, _ in possible}) == len({j for _, j in possible}) == len(possible):
        return [(i, j) for i, j in possible]
    gain = np.maximum(limit - cost, 0.0)
    pairs: list[tuple[int, int]] = []
    for rows, columns in _pieces(possible):
        if len(rows) == 1 or len(columns) == 1:
            best = np.unravel_index(np.argmax(gain[np.ix_(rows, columns)]), (len(rows), len(columns)))
            pairs.append((rows[int(best[0])], columns[int(best[1])]))
            continue
        for i, j in _best_pairs(gain[np.ix_(rows, columns)]):
            pairs.append((rows[i], columns[j]))
    return sorted(pairs)


def _pieces(possible: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together by possible pairs, which come row by row."""
    of_row: dict[int, list[int]] = {}
    of_column: dict[int, list[int]] = {}
    for row, column in possible:
        of_row.setdefault(row, []).append(column)
        of_column.setdefault(column, []).append(row)
    seen = set[int]()
    found: list[tuple[list[int], list[int]]] = []
    for start in of_row:
        if start in seen:
            continue
        seen.add(start)
        rows, met, waiting = [start], set[int](), [start]
        while waiting:
            for column in of_row[waiting.pop()]:
                if column not in met:
                    met.add(column)
                    fresh = [row for row in of_column[column] if row not in seen]
                    seen.update(fresh)
                    rows += fresh
                    waiting += fresh
        found.append((sorted(rows), sorted(met)))
    return found


def _best_pairs(gain: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of the largest total gain in a small table [n, m]; pairs without gain are left out."""
    turned = gain.shape[0] > gain.shape[1]
    table = (-gain.T if turned else -gain).tolist()
    pairs = [(row, column) for column, row in _hungarian(table).items()]
    pairs = [(column, row) for row, column in pairs] if turned else pairs
    return [(i, j) for i, j in pairs if gain[i, j] > 0]


def _hungarian(cost: list[list[float]]) -> dict[int, int]:
    """Column -> row of the cheapest assignment of every row; rows are no more than columns. Potentials from row to row."""
    rows, columns = len(cost), len(cost[0])
    of_row, of_column = [0.0] * (rows + 1), [0.0] * (columns + 1)
    held_by, came_from = [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        held_by[0], column = row, 0
        least, used = [_NEVER] * (columns + 1), [False] * (columns + 1)
        while held_by[column]:
            used[column] = True
            current, step, best = held_by[column], _NEVER, 0
            for j in range(1, columns + 1):
                if not used[j]:
                    slack = cost[current - 1][j - 1] - of_row[current] - of_column[j]
                    if slack < least[j]:
                        least[j], came_from[j] = slack, column
                    if least[j] < step:
                        step, best = least[j], j
            for j in range(columns + 1):
                if used[j]:
                    of_row[held_by[j]] += step
                    of_column[j] -= step
                else:
                    least[j] -= step
            column = best
        while column:
            held_by[column] = held_by[came_from[column]]
            column = came_from[column]
    return {j - 1: held_by[j] - 1 for j in range(1, columns + 1) if held_by[j]}
