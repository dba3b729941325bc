"""What members see and touch: cards, pages, menus, buttons, forms, and the options that name a hero."""
