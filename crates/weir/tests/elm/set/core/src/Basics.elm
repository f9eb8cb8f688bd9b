module Basics exposing (Bool(..), Float, Int, add, (+))

{-| A stub.

@docs Bool, Float, Int, add, (+)

-}

infix left 6 (+) = add


{-| -}
type Bool
    = True
    | False


{-| -}
type Int
    = Int


{-| -}
type Float
    = Float


{-| -}
add : number -> number -> number
add a _ =
    a
