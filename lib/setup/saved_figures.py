"""What JupyterLab saves of figures: what the library wrote, and no picture of what was on the screen."""

FIGURE = "application/vnd.plotly.v1+json"
DRAWING = "image/svg+xml"


def drop_pictures(model, **_):
    """Takes out the picture that JupyterLab's Plotly adds to each figure it draws, where there is a drawing already:
    it would stand in the figure's place when the notebook is opened again, and make every save a change."""
    if model["type"] != "notebook":
        return
    for cell in (model.get("content") or {}).get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if FIGURE in data and DRAWING in data:
                data.pop("image/png", None)
