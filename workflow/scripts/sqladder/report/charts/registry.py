"""The report's charts by name, in the order in which they are drawn."""

from sqladder.report.charts import (
    accuracy_by_database,
    accuracy_by_level,
    candidate_costs,
    cost_vs_accuracy,
    learning_curve_chart,
    loss_curves,
    paired_differences,
    ranking_chart,
    reward_curves,
    samples_vs_cost,
    validation_curves,
    what_went_wrong,
)

CHARTS = {
    chart.name: chart
    for chart in (
        ranking_chart.CHART,
        accuracy_by_level.CHART,
        paired_differences.CHART,
        accuracy_by_database.CHART,
        what_went_wrong.CHART,
        loss_curves.CHART,
        reward_curves.CHART,
        validation_curves.CHART,
        candidate_costs.CHART,
        learning_curve_chart.CHART,
        cost_vs_accuracy.CHART,
        samples_vs_cost.CHART,
    )
}
