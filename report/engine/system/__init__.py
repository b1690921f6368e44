"""What files, locks, processes and packages have to do with it: nothing here knows of stages."""
